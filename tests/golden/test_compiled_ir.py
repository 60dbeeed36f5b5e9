"""Compiled graphs, held against the files beside this one; `pytest tests/golden --update-golden` rewrites them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import text_format

import schemas
from configs.load import load_settings
from runners.compiled import compile_pipeline

ROOT = Path(__file__).parents[2]
# Where the packages come from: this tree, or, in the image, an installed wheel.
INSTALLED = Path(schemas.__file__).parents[1]
SETTINGS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.mark.parametrize("file", SETTINGS, ids=lambda file: file.stem)
def test_compiled_ir(file: Path, update_golden: bool) -> None:
    settings = load_settings([file], ["output_dir=/output"], {})  # with no variable set, on every machine
    text = _stable(text_format.MessageToString(compile_pipeline(settings)))
    golden = Path(__file__).with_name(f"{file.stem}.pbtxt")
    if update_golden:
        golden.write_text(text)
    assert text == golden.read_text(), (
        "the compiled graph has changed; if it was meant to: pytest tests/golden --update-golden"
    )


def _stable(text: str) -> str:
    """Leaves out what changes with the code's fingerprint, the machine and the stack."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "FINGERPRINT", text)
    text = text.replace(str(INSTALLED / "schemas"), "ROOT/schemas")
    text = re.sub(r'"[^"]*/site-packages/', '"SITE-PACKAGES/', text)
    return text.replace(str(ROOT), "ROOT")
