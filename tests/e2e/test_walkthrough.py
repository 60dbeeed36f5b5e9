"""The notebook as a reader runs it, and what is committed of it."""

from __future__ import annotations

import ast
import base64
import io
import os
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib.image
import nbclient
import nbformat
import numpy as np
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks/walkthrough.ipynb"
ROWS = 3000


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_committed_without_outputs() -> None:
    assert [cell.id for cell in code_cells(read()) if cell.outputs or cell.execution_count is not None] == []


def test_it_defines_nothing_of_its_own() -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    found = [
        cell.id
        for cell in code_cells(read())
        if any(isinstance(node, definitions) for node in ast.walk(ast.parse(cell.source)))
    ]
    assert found == []


def test_it_names_no_absolute_path() -> None:
    texts = [
        node.value
        for cell in code_cells(read())
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if text.startswith(("/", "~"))] == []
    assert not any(f"{root}/" in NOTEBOOK.read_text() for root in ("/home", "/root", "/tmp", "/Users"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook, executed on the first rows of the taxi sample with a short training."""
    folder = tmp_path_factory.mktemp("walkthrough")
    sample = resources.files("tfx") / "examples/chicago_taxi_pipeline/data/simple/data.csv"
    (folder / "trips.csv").write_text("".join(sample.read_text().splitlines(keepends=True)[: ROWS + 1]))
    overrides = (
        f"data.path={folder / 'trips.csv'}",
        "training.epochs=3",
        "training.batch_size=32",
        "training.backup=false",
        "evaluation.thresholds.auc.lower=0.5",
        "smoke_check.enabled=false",
    )
    # No kernel that somebody has installed: the one of this interpreter, with this tree first on its path.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    notebook = read()
    client = nbclient.NotebookClient(notebook, km=manager, timeout=500, resources={"metadata": {"path": str(folder)}})
    client.execute(
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "WALKTHROUGH_OUTPUT_DIR": str(folder / "output"),
            "WALKTHROUGH_SET": " ".join(overrides),
        }
    )
    return notebook


def outputs(notebook: Any, mime: str) -> list[list[Any]]:
    """The outputs of this kind, by code cell."""
    return [
        [output.data[mime] for output in cell.outputs if mime in output.get("data", {})]
        for cell in code_cells(notebook)
    ]


def test_every_picture_shows_something(executed: Any) -> None:
    drawing = [cell for cell in code_cells(executed) if "plt.show()" in cell.source]
    assert len(drawing) == 4
    for cell in drawing:
        (encoded,) = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
        picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(encoded)), format="png")
        height, width, _ = picture.shape
        assert width >= 800, cell.id
        assert height >= 300, cell.id
        colours = np.unique((picture[..., :3] * 255).astype(np.int64) @ [1 << 16, 1 << 8, 1])
        assert len(colours) > 20, cell.id
        background = (picture[..., :3] == picture[0, 0, :3]).all(axis=-1).mean()
        assert 0.3 < background < 0.97, cell.id


def test_tables_need_no_network(executed: Any) -> None:
    tables = [html for found in outputs(executed, "text/html") for html in found]
    assert len(tables) >= 5
    assert [html[:80] for html in tables if "<script" in html or "http" in html or "<link" in html] == []


def test_it_shows_data_schema_anomalies_predictions_slices_and_release(executed: Any) -> None:
    shown = "\n".join(text for found in outputs(executed, "text/plain") for text in found)
    for expected in (
        "trip_miles",
        "Presence",
        "{'train': {}, 'eval': {}}",
        "probability_of_a_tip",
        "Overall",
        "fingerprint of the code",
    ):
        assert expected in shown


def test_nothing_needs_a_script(executed: Any) -> None:
    assert [found for found in outputs(executed, "application/javascript") if found] == []
