"""What a user gets who gives the pipeline something wrong: the message, the exit code, and nothing half-written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """\
name: trips
output_dir: OUTPUT
data: {path: data.csv}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 0.2 * fare}
evaluation: {thresholds: {auc: {lower: 0.5}}}
"""
THRESHOLDS = "{thresholds: {auc: {lower: 0.5}}}"
HEADER = "fare,payment,tips\n"
ROWS = "".join(f"{number}.5,{('cash', 'card')[number % 2]},{number % 7}\n" for number in range(1, 61))


@dataclass(frozen=True)
class Case:
    """One mistake: the data file's content (None: no file), and what the message must say."""

    data: bytes | None
    says: tuple[str, ...]
    settings: str = SETTINGS


CASES = {
    "no such file": Case(None, ("data.csv",)),
    "empty file": Case(b"", ("empty",)),
    "header only": Case(HEADER.encode(), ("no row",)),
    "ragged rows": Case((HEADER + ROWS + "1,cash\n").encode(), ("line 62", "3")),
    "duplicate header": Case((HEADER.replace("tips", "fare") + ROWS).encode(), ("fare",)),
    "not UTF-8": Case((HEADER + ROWS).encode() + b"1.5,caf\xe9,1\n", ("UTF-8", "line 62")),
    "binary": Case(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, ("data.csv",)),
    "label missing": Case((HEADER.replace("tips", "tip") + ROWS).encode(), ("tips", "tip")),
    "one class only": Case((HEADER + "".join(f"{n}.5,cash,0\n" for n in range(1, 61))).encode(), ("class",)),
    "column missing": Case((HEADER.replace("payment", "paymant") + ROWS).encode(), ("payment", "paymant")),
    "text for a number": Case((HEADER + ROWS + "cheap,cash,1\n").encode(), ("fare", "cheap", "line 62")),
    "typo in the settings": Case(
        (HEADER + ROWS).encode(), ("settings.yaml", "line 8", "thresholds"), SETTINGS.replace("thresholds", "treshold")
    ),
    "no threshold": Case(
        (HEADER + ROWS).encode(), ("line 8", "set thresholds"), SETTINGS.replace(THRESHOLDS, "{}")
    ),
    "unwritable output": Case(
        (HEADER + ROWS).encode(), ("output_dir", "/proc/"), SETTINGS.replace("OUTPUT", "/proc/nowhere")
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    commands, folders = {}, {}
    for name, case in CASES.items():
        folder = folders[name] = tmp_path_factory.mktemp("case")
        (folder / "settings.yaml").write_text(case.settings.replace("OUTPUT", str(folder / "output")))
        if case.data is not None:
            (folder / "data.csv").write_bytes(case.data)
        commands[name] = ["run", "-c", str(folder / "settings.yaml"), "--set", f"data.path={folder / 'data.csv'}"]
    return {name: (result, folders[name]) for name, result in run_all(commands).items()}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_with_a_message_and_nothing_is_left(name: str, ended: dict[str, tuple[Any, Path]]) -> None:
    result, folder = ended[name]
    assert result.code == 1, result.stdout + result.stderr
    for text in (*CASES[name].says, "Where:"):
        assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert not (folder / "output/releases").exists()
    assert not list((folder / "output").glob("artifacts/ExampleGen/examples/*/*"))
