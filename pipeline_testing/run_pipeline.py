"""Runs the pipeline of some settings, or a part of it, in this process on rows in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter

from configs.engine import Engine
from configs.settings import Metadata, Settings
from pipeline.pipeline import create_pipeline
from pipeline_testing.pipeline_run import PipelineRun
from pipeline_testing.raised import as_raised
from pipeline_testing.rows import Rows, to_rows
from pipeline_testing.store import outputs_of
from pipeline_testing.stub import Stub, needed_nodes, stub_node
from runners.metadata_store import metadata_connection
from runners.node import run_node
from schemas.errors import DataError, ScalableTFError


class RunPipeline:
    """The fixture `run_pipeline`.

    The nodes are those of `scalable-tf run`, with TFX's launcher, ML Metadata, drivers, resolvers and cache; but they
    run one after the other in this process, and Beam work on the inline engine. So an error comes with the executor's
    own traceback, a debugger stops in it, and nothing is started that could outlive the test.

    Args:
        make_folder: makes a new folder of a name like the one given.
    """

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder = make_folder

    def __call__(
        self,
        settings: Settings,
        rows: Rows | None = None,
        *,
        to: str | Collection[str] | None = None,
        stubs: Mapping[str, Stub] | None = None,
        force_bless: str = "",
        output_dir: Path | None = None,
        check: bool = True,
    ) -> PipelineRun:
        """Runs it.

        Args:
            settings: of the pipeline, for example `load_settings([Path("configs/mine.yaml")], ["training.epochs=1"])`.
            rows: what ExampleGen reads instead of `data.path`; see `pipeline_testing.rows`.
            to: the node or nodes to run; what they need is run too. Default: all.
            stubs: nodes that are not to work, by id, with what they give instead; what only they need is not run where
                `to` does not ask for it.
            force_bless: a reason for blessing the model whatever its metrics.
            output_dir: that of an earlier run, to go on from its models and its cache; default: a new one.
            check: raise the error of a node that fails; otherwise the run ends there and keeps it as `error`.

        Raises:
            ScalableTFError: a mistake in the settings, the rows or the arguments, or, with `check`, a node's error.
        """
        folder = self._make_folder(settings.name)
        settings = _here(settings, output_dir or folder / "output", rows)
        pipeline = compiler.Compiler().compile(create_pipeline(settings, force_bless=force_bless))
        run = PipelineRun(settings, folder.name)
        substitute_runtime_parameter(pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run.run_id})
        for node_id, stub in (stubs or {}).items():
            stub_node(pipeline, node_id, stub, folder / "stubs")
        everything = [node.pipeline_node.node_info.id for node in pipeline.nodes]
        metadata = metadata_connection(settings)
        engine = settings.engine.model_copy(update={"processes": 1})  # TensorFlow may have run in this process
        for node_id in needed_nodes(pipeline, everything if to is None else [to] if isinstance(to, str) else to):
            try:
                with as_raised():
                    outcome = run_node(pipeline, node_id, metadata, engine)
            except ScalableTFError as error:
                if check:
                    raise
                run.error = error
                break
            if outcome.state == "cached":
                run.cached.append(node_id)
            run.nodes[node_id] = outputs_of(metadata, node_id, outcome.execution_id)
        return run


def _here(settings: Settings, output_dir: Path, rows: Rows | None) -> Settings:
    """The settings with everything that a run reads, writes or connects to in the test's folder."""
    changes: dict[str, Any] = {
        "output_dir": str(output_dir),
        "metadata": Metadata(),
        "engine": Engine(kind="inline"),
    }
    if rows is not None:
        file = output_dir / "rows.csv"
        _write_csv(to_rows(rows), file, settings.data.delimiter)
        changes["data"] = settings.data.model_copy(
            update={"source": "csv", "path": str(file), "query": None, "span": None}
        )
    return settings.model_copy(update=changes)


def _write_csv(rows: Sequence[Mapping[str, Any]], file: Path, delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(rows[0] if rows else ())
    for number, row in enumerate(rows):
        writer.writerow([_cell(value, number, name) for name, value in row.items()])
    content = text.getvalue().encode()
    # The same rows once more leave the file alone: ExampleGen knows an unchanged file by its time, too.
    if not file.is_file() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _cell(value: Any, number: int, name: str) -> Any:
    if isinstance(value, (list, bytes)):
        raise DataError(
            "A cell of a CSV file holds one number or text, and ExampleGen reads CSV.",
            where=f"row {number}, column {name!r}",
            received=f"{type(value).__name__}: {str(value)[:60]}",
            fix='Give the examples as ExampleGen\'s output: stubs={"ExampleGen": {"examples": {"train": rows, ...}}}',
        )
    return value
