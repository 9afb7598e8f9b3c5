"""Evals on a provider of 200 ms on loopback, beside a bare loop over the openai client."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import anyio
import psutil

from harness.adapters.evals_sql import SqlEvalStore
from harness.domain.formats import AnswerSettings
from harness.evals import Conditions, EvalRun, Plan, run_evals
from harness.evals.compare import compare
from harness.evals.compare_report import compare_report
from harness.evals.graders import Grade, Work, graders
from harness.evals.loading import load_run
from harness.evals.record import Generation, GradeRow, RunRecord, stub_of
from harness.evals.report import report
from harness.testing import ProviderServer, Turn
from harness.values import Check, EvalCase, Place, Usage
from tests.benchmarks.evals_full_path import full_path
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["run"]

PLACE = Place(file="evals/dev.yaml")
CHECKS = (Check(grader="label", spec=None, place=PLACE),)
SETTINGS = AnswerSettings(kind="label", labels=("yes", "no"))
JOBS = 50


def run(material: Material, record: Record) -> None:
    """Time a run, its memory, and the report of a large one."""
    with tempfile.TemporaryDirectory(prefix="harness-evals-") as folder:
        _throughput(Path(folder), record, 100 if material.quick else 1_000)
        _large(Path(folder), record, 500 if material.quick else 10_000)
    full_path(material, record)  # last: it loads an index, and memory is of the runner


def _cases(count: int) -> list[EvalCase]:
    return [
        EvalCase(
            id=f"c{index}",
            input=f"Is {index} a number?",
            expected="yes",
            checks=CHECKS,
            tags=(f"t{index % 10}",),
            split="dev",
            place=PLACE,
        )
        for index in range(count)
    ]


def _throughput(folder: Path, record: Record, count: int) -> None:
    """Ask through the openai client on both sides, so that only the runner differs."""
    cases = _cases(count)
    with (
        ProviderServer(lambda request: Turn(text="yes"), latency=0.2) as server,
        patch.dict(os.environ, server.env()),
    ):
        from openai import AsyncOpenAI

        async def timed(work: Callable[[AsyncOpenAI], Awaitable[None]]) -> float:
            async with AsyncOpenAI() as client:
                started = time.perf_counter()
                await work(client)
                return time.perf_counter() - started

        async def bare(client: AsyncOpenAI) -> None:
            limit = anyio.CapacityLimiter(JOBS)

            async def one(case: EvalCase) -> None:
                async with limit:
                    await _asked(client, case)

            async with anyio.create_task_group() as group:
                for case in cases:
                    group.start_soon(one, case)

        async def ours(client: AsyncOpenAI) -> None:
            async def ask(case: EvalCase, _repeat: int) -> Work:
                return Work(text=await _asked(client, case))

            store = SqlEvalStore(folder / f"{time.monotonic_ns()}.db")
            found = await run_evals(
                cases,
                ask,
                conditions=_conditions("r"),
                settings=SETTINGS,
                graders=graders(),
                jobs=JOBS,
                plan=Plan(store=store),
            )
            assert found.scored == count

        times = {"bare": [], "ours": []}
        for _ in range(2):
            times["bare"].append(anyio.run(timed, bare))
            times["ours"].append(anyio.run(timed, ours))
    best = {name: min(found) for name, found in times.items()}
    record.add(f"{count:,} cases, bare openai loop", best["bare"], "s")
    record.add(f"{count:,} cases, every answer and grade committed", best["ours"], "s")
    record.add("runner / bare loop", best["ours"] / best["bare"], "times", at_most=1.1)


async def _asked(client: AsyncOpenAI, case: EvalCase) -> str:
    reply = await client.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": case.input}]
    )
    return str(reply.choices[0].message.content)


def _large(folder: Path, record: Record, count: int) -> None:
    """Memory of a small and a large run; then two kept runs, three repeats each, compared."""
    cases = _cases(count)
    store = SqlEvalStore(folder / "large.db")

    async def ask(case: EvalCase, _repeat: int) -> Work:
        await anyio.sleep(0)
        return Work(text="yes " * 100)

    async def big(some: list[EvalCase]) -> EvalRun:
        return await run_evals(
            some,
            ask,
            conditions=_conditions(f"big{len(some)}"),
            settings=SETTINGS,
            graders=graders(),
            jobs=JOBS,
            plan=Plan(store=store),
        )

    for size in (count // 10, count):
        run = anyio.run(big, cases[:size])
        resident = psutil.Process().memory_info().rss / 1e6
        assert run.n == size
        record.add(f"resident memory after {size:,} cases", resident, "MB", at_most=400)

    for name, every in (("r1", 5), ("r2", 6)):
        stubs = tuple(stub_of(case, 3) for case in cases)
        store.begin(RunRecord(conditions=_conditions(name), cases=stubs, started=name))
        rows: list[Generation | GradeRow] = []
        for index, case in enumerate(cases):
            for repeat in range(3):
                met = (index + repeat) % every != 0
                work = Work(text="yes" if met else "no", usage=Usage(input_tokens=9))
                rows.append(Generation(case=case.id, repeat=repeat, key="k", work=work))
                grade = Grade(met=met, score=float(met), why="" if met else "expected “yes”")
                rows.append(GradeRow(case=case.id, repeat=repeat, grades=(grade,)))
        store.keep(rows, name)
    started, busy = time.perf_counter(), time.process_time()
    first, second = load_run(store, "r1"), load_run(store, "r2")
    loaded = time.perf_counter()
    found = compare(first, second)
    text = report(second) + compare_report(found)
    done, busy = time.perf_counter(), time.process_time() - busy
    assert text
    record.add(f"{count:,} cases x 3: two runs read", loaded - started, "s")
    record.add(f"{count:,} cases x 3: report and comparison", done - loaded, "s")
    record.add(f"{count:,} cases x 3: all of it", done - started, "s", at_most=2.0)
    record.add(f"{count:,} cases x 3: of it processor", busy, "s")
    record.note("Grading by `label`; SQLite in WAL mode with synchronous=FULL.")


def _conditions(run: str) -> Conditions:
    return Conditions(
        run=run, domain="d", version="v", split="dev", model="m", policy="p", config="k"
    )
