"""Each way to alter a record is found, and named at the right event."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from harness.journal.chain import GENESIS, Head, Link, SignedHead, head_statement, link_hash
from harness.journal.verify import BlobState, Verdict, verify

RUN = "r1"


def chain(count: int, *, start: Sequence[Link] = (), salt: str = "") -> list[Link]:
    links = list(start)
    while len(links) < count:
        seq = len(links) + 1
        link = Link(
            run=RUN,
            seq=seq,
            at=seq,
            type="plan.updated",
            version=1,
            digest=hashlib.sha256(f"{salt}{seq}".encode()).hexdigest(),
            blobs=f"blob{seq}" if seq % 5 == 0 else "",
            sealed=f"seal{seq}" if seq % 7 == 0 else "",
            previous=links[-1].hash if links else GENESIS,
        )
        links.append(replace(link, hash=link_hash(link)))
    return links


def signed(link: Link, key: bytes = b"ours") -> SignedHead:
    head = Head(run=RUN, seq=link.seq, hash=link.hash)
    return SignedHead(head=head, signature=hashlib.sha256(key + head_statement(head)).digest())


def is_ours(one: SignedHead) -> bool:
    return one.signature == hashlib.sha256(b"ours" + head_statement(one.head)).digest()


def check(
    links: Sequence[Link],
    written: Sequence[Link],
    *,
    head: SignedHead | None = None,
    no_head: bool = False,
    anchors: Sequence[SignedHead] | None = None,
    blob_state: Callable[[str], BlobState] = lambda name: "sound",
    reasoning_state: Callable[[int, str], BlobState] = lambda seq, digest: "sound",
) -> Verdict:
    """Verify what is there against what was written: heads after every second event."""
    last = signed(written[-1]) if head is None else head
    return verify(
        RUN,
        links,
        head=None if no_head else last,
        anchors=[signed(one) for one in written[1::2]] if anchors is None else anchors,
        signed_by_us=is_ours,
        blob_state=blob_state,
        reasoning_state=reasoning_state,
    )


def found(verdict: Verdict) -> list[tuple[str, int]]:
    return [(one.kind, one.seq) for one in verdict.findings]


WRITTEN = chain(20)


def renumbered(links: Sequence[Link]) -> list[Link]:
    return [replace(link, seq=at) for at, link in enumerate(links, 1)]


def test_a_record_as_written_is_clean() -> None:
    verdict = check(WRITTEN, WRITTEN)
    assert verdict.clean
    assert (verdict.events, verdict.notes) == (20, ())


@pytest.mark.parametrize("seq", [1, 2, 10, 19, 20])
@pytest.mark.parametrize(
    "field",
    [
        {"digest": "0" * 64},
        {"at": 99},
        {"type": "run.started"},
        {"version": 2},
        {"blobs": "x"},
        {"sealed": "y"},
        {"spilled": "z"},
        {"hash": bytes(32)},
        {"previous": b"1" * 32},
    ],
)
def test_a_changed_event_is_named(seq: int, field: dict[str, object]) -> None:
    links = list(WRITTEN)
    links[seq - 1] = replace(links[seq - 1], **field)  # type: ignore[arg-type] # any one field
    assert found(check(links, WRITTEN)) == [("changed", seq)]


@pytest.mark.parametrize("seq", [1, 2, 10, 19])
def test_an_event_changed_and_hashed_anew_alone_is_named(seq: int) -> None:
    links = list(WRITTEN)
    link = replace(links[seq - 1], digest="0" * 64)
    links[seq - 1] = replace(link, hash=link_hash(link))
    assert found(check(links, WRITTEN)) == [("changed", seq)]


@pytest.mark.parametrize("seq", [1, 2, 10, 19])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("moved_up", [False, True])
def test_removed_events_are_named(seq: int, count: int, moved_up: bool) -> None:
    count = min(count, 19 - seq + 1)
    links = WRITTEN[: seq - 1] + WRITTEN[seq - 1 + count :]
    verdict = check(renumbered(links) if moved_up else links, WRITTEN)
    assert found(verdict) == [("removed", seq)]
    where = f"event {seq} is gone" if count == 1 else f"events {seq} to {seq + count - 1} are gone"
    assert verdict.findings[0].message == where


@pytest.mark.parametrize("seq", [1, 2, 10, 20])
@pytest.mark.parametrize("hashed", [False, True])
def test_an_inserted_event_is_named(seq: int, hashed: bool) -> None:
    before = WRITTEN[seq - 2].hash if seq > 1 else GENESIS
    forged = replace(WRITTEN[4], seq=seq, digest="f" * 64, previous=before)
    forged = replace(forged, hash=link_hash(forged) if hashed else b"2" * 32)
    links = renumbered([*WRITTEN[: seq - 1], forged, *WRITTEN[seq - 1 :]])
    assert found(check(links, WRITTEN)) == [("inserted", seq)]


def test_an_event_put_at_the_end_is_named() -> None:
    assert found(check(chain(21), WRITTEN)) == [("inserted", 21)]
    forged = replace(chain(21)[-1], previous=bytes(32))
    assert found(check([*WRITTEN, forged], WRITTEN))[-1] == ("inserted", 21)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (5, 6), (3, 17), (19, 20)])
def test_swapped_events_are_named(one: int, other: int) -> None:
    links = list(WRITTEN)
    links[one - 1], links[other - 1] = links[other - 1], links[one - 1]
    verdict = check(renumbered(links), WRITTEN)
    assert found(verdict) == [("reordered", one), ("reordered", other)]
    assert f"as event {other}" in verdict.findings[0].message


@pytest.mark.parametrize("left", [1, 10, 19])
def test_a_truncated_tail_is_found_by_the_head(left: int) -> None:
    verdict = check(WRITTEN[:left], WRITTEN, anchors=[])
    assert found(verdict) == [("truncated", left + 1)]
    assert "20" in verdict.findings[0].message


@pytest.mark.parametrize("left", [1, 10, 18])
def test_a_tail_cut_together_with_its_head_is_found_by_the_anchor(left: int) -> None:
    """The attacker kept an old copy, with a good signature."""
    verdict = check(WRITTEN[:left], WRITTEN, head=signed(WRITTEN[left - 1]))
    assert found(verdict) == [("truncated", left + 1)]


def test_a_removed_run_is_found_by_the_anchor() -> None:
    verdict = check([], WRITTEN, no_head=True)
    assert set(found(verdict)) == {("truncated", 1), ("head", 0)}


@pytest.mark.parametrize("first", [1, 5, 20])
def test_a_run_rewritten_and_hashed_anew_is_found(first: int) -> None:
    links = chain(20, start=WRITTEN[: first - 1], salt="forged")
    # Whoever can't sign leaves the old head, or forges one.
    kinds = found(check(links, WRITTEN))
    anchored = first if first % 2 else first - 1
    assert kinds == [("rewritten", anchored)]
    forged = found(check(links, WRITTEN, head=signed(links[-1], b"theirs")))
    assert set(forged) == {("rewritten", anchored), ("head", 20)}
    without = found(check(links, WRITTEN, anchors=[]))
    assert without == [("rewritten", 1)]


def test_a_rewritten_run_whose_older_head_was_signed_is_found() -> None:
    links = chain(20, start=WRITTEN[:10], salt="forged")
    verdict = check(links, WRITTEN, head=signed(WRITTEN[9]))
    assert ("rewritten", 11) in found(verdict)


def test_a_head_put_back_alone_is_found() -> None:
    assert found(check(WRITTEN, WRITTEN, head=signed(WRITTEN[3]))) == [("head", 4)]


def test_an_anchor_that_lags_is_a_note_and_no_finding() -> None:
    verdict = check(WRITTEN, WRITTEN, anchors=[signed(WRITTEN[9])])
    assert verdict.clean
    assert "event 10 of 20" in verdict.notes[0]


def test_a_forged_line_in_the_anchor_proves_nothing() -> None:
    forged = signed(chain(30)[-1], b"theirs")
    assert check(WRITTEN, WRITTEN, anchors=[signed(WRITTEN[-1]), forged]).clean


@pytest.mark.parametrize("state", ["missing", "changed"])
def test_a_blob_is_named_with_the_event(state: BlobState) -> None:
    verdict = check(
        WRITTEN, WRITTEN, blob_state=lambda name: state if name == "blob10" else "sound"
    )
    assert found(verdict) == [(f"blob_{state}", 10)]


@pytest.mark.parametrize("state", ["missing", "changed"])
def test_sealed_reasoning_is_named_with_the_event(state: BlobState) -> None:
    def of(seq: int, digest: str) -> BlobState:
        return state if digest == "seal14" else "sound"

    assert found(check(WRITTEN, WRITTEN, reasoning_state=of)) == [(f"reasoning_{state}", 14)]


def test_an_empty_run_is_clean() -> None:
    empty = SignedHead(head=Head(run=RUN, seq=0, hash=GENESIS), signature=b"")
    assert check([], WRITTEN, head=empty, anchors=[]).clean


def test_many_things_at_once_are_all_found_in_a_second() -> None:
    written = chain(2000)
    draw = random.Random(7)
    links = [replace(link, digest="0" * 64) if draw.random() < 0.5 else link for link in written]
    changed = [one.seq for one, was in zip(links, written, strict=True) if one != was]
    verdict = check(links, written)
    assert found(verdict) == [("changed", seq) for seq in changed]
    assert str(verdict.findings[0]).startswith(f"event {changed[0]}: changed: ")
