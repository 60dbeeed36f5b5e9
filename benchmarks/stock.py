"""The stock side: the taxi template as `tfx template copy --model=taxi` gives it, with every component switched on.

What is changed in the copy, and nothing else:

- each commented `components.append(...)` of pipeline/pipeline.py is uncommented, as the template's tutorial says;
- ExampleValidator is moved out of the branch that the template enters with a curated schema only, so that it runs;
- data/data.csv is replaced by the rows of the benchmark.

It is run as the template says, `python local_runner.py`, with no Beam arguments.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from schemas.errors import RunError, SetupError

_NAME = "taxi"
_COMMENTED = "# components.append("
_SWITCHED_OFF = 9
_VALIDATOR_FIRST = "example_validator = "
_VALIDATOR_LAST = "components.append(example_validator)"


def make_project(folder: Path, csv: Path) -> Path:
    """Copies the template and switches everything on.

    Args:
        folder: to be made; must not exist.
        csv: rows to train on.

    Returns:
        The folder from which `stock_command` is to be run.

    Raises:
        SetupError: TFX's command line is not installed, or its template is not the one that this module knows.
        RunError: the copying failed.
    """
    tfx = Path(sys.executable).with_name("tfx")
    if not tfx.exists():
        raise SetupError("TFX's command line is not installed.", where=str(tfx), fix="make setup")
    copied = subprocess.run(
        [tfx, "template", "copy", f"--pipeline-name={_NAME}", f"--destination-path={folder}", "--model=taxi"],
        capture_output=True,
        text=True,
        check=False,
    )
    if copied.returncode != 0:
        raise RunError("tfx template copy failed.", received=copied.stderr[-2000:], fix="Run it by hand to see why.")
    definition = folder / "pipeline" / "pipeline.py"
    definition.write_text(switch_on(definition.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copyfile(csv, folder / "data" / "data.csv")
    return folder


def switch_on(definition: str) -> str:
    """The template's pipeline.py with every component in the pipeline.

    Args:
        definition: text of pipeline.py.

    Raises:
        SetupError: the text is not that of the template.
    """
    lines = definition.replace(_COMMENTED, _COMMENTED.removeprefix("# ")).splitlines()
    first = [number for number, line in enumerate(lines) if line.lstrip().startswith(_VALIDATOR_FIRST)]
    last = [number for number, line in enumerate(lines) if line.lstrip() == _VALIDATOR_LAST]
    switched_off = definition.count(_COMMENTED)
    if switched_off != _SWITCHED_OFF or len(first) != 1 or len(last) != 1:
        raise SetupError(
            "This TFX has another taxi template than the benchmark knows.",
            where="pipeline/pipeline.py",
            received=f"{switched_off} commented components, {len(first)} example validators",
            fix="Use the TFX of requirements/, or teach benchmarks/stock.py the new template.",
        )
    for number in range(first[0], last[0] + 1):
        lines[number] = lines[number].removeprefix("  ")
    return "\n".join(lines) + "\n"


def stock_command() -> list[str]:
    """The command that runs the project, in its folder."""
    return [sys.executable, "local_runner.py"]


def stock_metadata(project: Path) -> Path:
    """The ML Metadata store (SQLite) of a project that has run."""
    return project / "tfx_metadata" / _NAME / "metadata.db"


def stock_examples(project: Path, split: str) -> Path:
    """Folder of the raw examples of a split of a project that has run once."""
    return _only(project / "tfx_pipeline_output" / _NAME / "CsvExampleGen" / "examples", f"*/Split-{split}")


def stock_statistics(project: Path, split: str) -> Path:
    """Folder of the statistics of a split of a project that has run once."""
    return _only(project / "tfx_pipeline_output" / _NAME / "StatisticsGen" / "statistics", f"*/Split-{split}")


def stock_model(project: Path) -> Path:
    """The SavedModel that the Trainer of a project that has run once exported."""
    return _only(project / "tfx_pipeline_output" / _NAME / "Trainer" / "model", "*/Format-Serving")


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise RunError(
            "The stock pipeline did not leave what it should.",
            where=str(folder / pattern),
            received=f"{len(found)} matches",
            fix="See the log of its run.",
        )
    return found[0]
