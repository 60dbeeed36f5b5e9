"""`release verify`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.runners.commands.release.conftest import Run


def test_verify_tells_a_changed_byte_with_its_path(run: Run, root: Path) -> None:
    assert run("verify")[0] == 0
    path = root / "taxi/2/variables/variables.index"
    path.write_bytes(b"indeX")
    code, out, _ = run("verify")
    assert code == 4
    assert out.splitlines() == [
        "Version 1: as it was released",
        "Version 2: altered",
        "  variables/variables.index was changed",
        "Version 3: as it was released",
    ]
    assert run("verify", "1", "3")[0] == 0
    faults = json.loads(run("verify", "2", "--json")[1])
    assert [fault["path"] for fault in faults["2"]] == ["variables/variables.index"]
    code, _, err = run("promote", "2", "--force", "x")
    assert code == 1
    assert "variables/variables.index was changed" in err
