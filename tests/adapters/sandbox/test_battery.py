"""Nothing that is tried in a sandbox gets out of it, on any backend that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.sandbox.attacks import ATTACKS, Attack
from tests.adapters.sandbox.conftest import LIMITS, Backend, Host, run_bare


def name_of(attack: Attack) -> str:
    return attack.name.replace(" ", "-")


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_attack_gets_nowhere(attack: Attack, backend: Backend, host: Host) -> None:
    result = backend.run(host.fill(attack.code))
    said = f"{result.printed}\n{result.errors}\n{result.value}"
    assert "ESCAPED" not in result.printed, said
    assert host.untouched(), said
    assert len(result.printed) + len(result.errors) < 3 * LIMITS.output, "the flood came through"


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.bare], ids=name_of)
def test_attack_gets_through_where_there_is_no_sandbox(
    attack: Attack, host: Host, tmp_path: Path
) -> None:
    """The battery can fail."""
    code = host.fill(attack.code)
    assert "ESCAPED" in run_bare(code, tmp_path)
