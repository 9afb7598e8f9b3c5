"""A process beside a test's own: syncs a folder as told by its first argument, as JSON."""

from __future__ import annotations

import json
import logging
import resource
import select
import shutil
import subprocess
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from harness.adapters.store_chroma import ChromaStore
from harness.bank import Synced, sync
from harness.context import RENDERING, render_item
from harness.domain import read_domain
from harness.errors import HarnessError
from harness.testing import HashEmbedder, WordCounter

STORE = ChromaStore()


def synced(folder: Path, home: Path) -> Synced:
    return sync(
        read_domain(folder),
        home=home,
        embedder=HashEmbedder(64),
        counter=WordCounter(),
        store=STORE,
        render=render_item,
        rendering=RENDERING,
    )


def tried(folder: Path, home: Path) -> dict[str, Any]:
    """Sync and search; return what came of it."""
    try:
        done = synced(folder, home)
    except HarnessError as error:
        return {"error": type(error).__name__, "said": str(error)}
    with closing(done.bank) as bank:
        return {
            "version": bank.version,
            "built": done.built,
            "embedded": done.embedded,
            "items": len(bank.items),
            "found": _found(bank),
        }


def _found(bank: Any) -> list[str]:
    hits = bank.search("card fee w12", bank.embed("card fee w12"), "demonstrations", depth=2000)
    return [bank.items[row].key for row in hits.rows[:20]]


def sync_once(folder: Path, home: Path) -> dict[str, Any]:
    """Wait until told to go, so that several begin together."""
    import chromadb  # noqa: F401 -- before the signal

    print("ready", flush=True)
    sys.stdin.readline()
    return tried(folder, home)


def read_until_told(folder: Path, home: Path) -> dict[str, Any]:
    """Open the index five times when told to, then search one bank until told again."""
    import chromadb  # noqa: F401 -- before the signal

    print("ready", flush=True)
    sys.stdin.readline()
    opened = [tried(folder, home) for _ in range(5)]
    with closing(synced(folder, home).bank) as bank:
        print(json.dumps(opened), flush=True)
        rounds = 0
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            assert _found(bank) == opened[0]["found"]
            rounds += 1
        return {"rounds": rounds, "version": bank.version}


def on_full_disks(folder: Path, home: Path) -> dict[str, Any]:
    """Sync with ever less room on the disk that `home` stands on; then with room again."""
    filler = home.parent / "filler"
    outcomes = []
    for room in (0, 20, 100, 250, 400, 600, 900):  # KiB
        _fill(filler, room)
        outcomes.append({"room": room, **tried(folder, home), **_state(home)})
        filler.unlink()
        shutil.rmtree(home, ignore_errors=True)
    return {"outcomes": outcomes, "after": tried(folder, home), **_state(home)}


def on_a_full_disk_with_an_index(folder: Path, home: Path) -> dict[str, Any]:
    """An index is there; the disk fills up; the domain changes; the disk is made read-only."""
    before = tried(folder, home)
    filler = home.parent / "filler"
    _fill(filler, 0)
    same = tried(folder, home)
    more = folder / "examples" / "more.jsonl"
    more.write_text('{"id": "new", "input": "one more", "output": "yes"}\n', "utf-8")
    done = {"before": before, "same": same, "changed": {**tried(folder, home), **_state(home)}}
    filler.unlink()
    _mount(home.parent, "-o", "remount,ro")
    done["read_only"] = tried(folder, home)
    _mount(home.parent, "-o", "remount,rw")
    return {**done, "roomy": tried(folder, home), **_state(home)}


def on_small_files(folder: Path, home: Path) -> dict[str, Any]:
    """Sync while no file may grow beyond a limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    outcomes = []
    for limit in (0, 1, 10, 60, 200, 300):  # KiB
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit * 1024, hard))
        outcomes.append({"limit": limit, **tried(folder, home), **_state(home)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return {"outcomes": outcomes, "after": tried(folder, home), **_state(home)}


def _state(home: Path) -> dict[str, Any]:
    indexes = home / "index" / "small"
    names = [path.name for path in indexes.iterdir()] if indexes.is_dir() else []
    return {
        "versions": [name for name in names if not name.startswith((".", "build."))],
        "staging": [name for name in names if name.startswith(".staging")],
    }


def _fill(filler: Path, room: int) -> None:
    """Fill the disk but for some KiB."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        file.truncate(max(0, file.tell() - room * 1024))


def _mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", *options, folder], check=True, capture_output=True)


def main() -> None:
    asked = json.loads(sys.argv[1])
    logging.disable()
    folder, home = Path(asked["folder"]), Path(asked["home"])
    if size := asked.get("disk"):
        _mount(home.parent, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    work = globals()[asked["work"]]
    with STORE.prepare() if asked["work"].startswith("on_") else nullcontext():
        print(json.dumps(work(folder, home)), flush=True)


if __name__ == "__main__":
    main()
