"""The full path of an eval beside a bare loop that sends the same bytes through the openai client.

Ours packs each context, asks through LangChain (streamed), checks and commits; the bare loop
sends contexts that were packed before, and waits for whole answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import anyio

from harness import Harness
from harness.domain import Policy
from harness.domain.scaffold import scaffold
from harness.values import EvalCase
from tests.benchmarks.material import DOMAINS, Material
from tests.benchmarks.record import Record
from tests.benchmarks.slow_provider import elsewhere

__all__ = ["full_path"]

JOBS = 50
ROUNDS = 3
CASES = 300
CONTEXTS: tuple[tuple[str, Policy], ...] = (
    ("instructions alone", "none"),
    ("default context", "balanced"),
)


def full_path(material: Material, record: Record) -> None:
    """Evaluate as `harness eval` does, with a short context and with the usual one."""
    domain = DOMAINS / "support-triage"
    if material.quick:
        domain = material.folder / "evals-full"
        scaffold(domain, name="evals-full", template="labels")
    with elsewhere(), Harness(domain, model="openai:gpt-5", home=material.home) as harness:
        split = "dev" if material.quick else "holdout"
        cases = [one for one in harness.domain.cases if one.split == split]
        cases = cases[: 5 if material.quick else CASES]
        for name, policy in CONTEXTS:
            _compared(harness, cases, name, policy, record)
    record.note(
        f"Full path: medians of {ROUNDS} rounds in turn; the provider is another process. "
        f"{JOBS} calls at a time of 200 ms leave 4 ms a case."
    )


def _compared(
    harness: Harness, cases: Sequence[EvalCase], name: str, policy: Policy, record: Record
) -> None:
    """Time packing alone, a bare loop over what was packed, and the whole of it."""
    ids, split = [case.id for case in cases], cases[0].split

    def ours() -> None:
        run = harness.evaluate(split=split, cases=ids, jobs=JOBS, policy=policy)
        assert run.scored == len(ids)

    harness.evaluate(split=split, limit=1, jobs=1, policy=policy)  # client and index are warm
    packed = [harness.preview(case.input, policy=policy, guard_case=case) for case in cases]
    contexts = [[{"role": one.role, "content": one.text} for one in p.messages] for p in packed]
    bare = _bare(contexts)
    rounds = [(_spent(bare), _spent(ours)) for _ in range(ROUNDS)]
    packing = _spent(
        lambda: [harness.preview(one.input, policy=policy, guard_case=one) for one in cases]
    )
    tokens = sum(one.tokens for one in packed) // len(packed)
    of = f"{len(cases):,} cases, {name} ({tokens:,} tokens)"
    ratio = median(full.wall / plain.wall for plain, full in rounds)
    record.add(f"{of}: bare loop", median(plain.wall for plain, _ in rounds), "s")
    record.add(f"{of}: full path", median(full.wall for _, full in rounds), "s")
    record.add(f"{name}: full path / bare loop", ratio, "times", at_most=1.1)
    each = 1000 / len(cases)
    for way, seconds in (
        ("bare loop", median(plain.busy for plain, _ in rounds)),
        ("full path", median(full.busy for _, full in rounds)),
        ("packing alone", packing.busy),
    ):
        record.add(f"{name}: processor a case, {way}", each * seconds, "ms")


def _bare(contexts: Sequence[list[dict[str, str]]]) -> Callable[[], None]:
    """Return a bare loop over contexts."""

    async def loop() -> None:
        from openai import AsyncOpenAI

        limit = anyio.CapacityLimiter(JOBS)

        async def one(messages: list[dict[str, str]]) -> None:
            async with limit:
                reply = await client.chat.completions.create(
                    model="gpt-5",
                    messages=messages,  # type: ignore[arg-type] # roles as text
                )
                assert reply.choices[0].message.content

        async with AsyncOpenAI() as client, anyio.create_task_group() as group:
            for messages in contexts:
                group.start_soon(one, messages)

    return lambda: anyio.run(loop)


class _Spent(NamedTuple):
    """Seconds of the clock, and of this process's processor."""

    wall: float
    busy: float


def _spent(work: Callable[[], object]) -> _Spent:
    wall, busy = time.perf_counter(), time.process_time()
    work()
    return _Spent(time.perf_counter() - wall, time.process_time() - busy)
