"""The parts of `scalable-tf doctor` that may crash: each runs in a process of its own, `python -m runners.probe NAME`.

The last line of stdout is a JSON list of checks; an error ends the process.
"""

from __future__ import annotations

import dataclasses
import glob
import importlib.metadata
import json
import os
import sys
import tempfile
from pathlib import Path

from configs.engine import Engine
from configs.settings import Settings
from runners.doctor import PROBES, REINSTALL, Check
from schemas.errors import ScalableTFError


def _tensorflow(_: Settings | None, __: str) -> list[Check]:
    import tensorflow as tf

    keras = tf.keras.Model.__module__.split(".")[0]
    detail = f"TF_USE_LEGACY_KERAS={os.environ.get('TF_USE_LEGACY_KERAS')}: tf.keras is "
    detail += f"{keras} {importlib.metadata.version(keras)}"
    return [Check("Keras", keras == "tf_keras", detail, "export TF_USE_LEGACY_KERAS=1"), _devices()]


def _devices() -> Check:
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    detail = f"{os.cpu_count()} CPU cores, {gpus} GPUs"
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if glob.glob("/dev/nvidia[0-9]*") and gpus == 0 and not hidden:
        version = importlib.metadata.version("tensorflow")
        remedy = f"give TensorFlow its CUDA libraries: .venv/bin/pip install 'tensorflow[and-cuda]=={version}'"
        return Check("devices", False, f"{detail}, though the machine has an NVIDIA device", remedy)
    return Check("devices", True, detail)


def _beam(settings: Settings | None, kind: str) -> list[Check]:
    import apache_beam as beam

    from runners.engines import beam_pipeline
    from runners.job_server import job_servers, require_job_servers

    engine = settings.engine if settings else Engine()
    if kind:
        engine = Engine.model_validate({**engine.model_dump(), "kind": kind, "nodes": {}})
    require_job_servers(engine, os.environ)
    with tempfile.TemporaryDirectory() as folder:
        with job_servers(engine, Path(folder), os.environ) as served, beam_pipeline(served)() as pipeline:
            rows = pipeline | beam.Create([1, 2])
            rows | beam.CombineGlobally(sum) | beam.io.WriteToText(f"{folder}/sum", shard_name_template="")
        total = Path(folder, "sum").read_text().strip()
    server = engine.job_server
    place = f" at {server.address}" if server and server.address else ""
    detail = f"engine {engine.kind}{place}, Beam {beam.__version__}: two rows, 1 and 2, sum to {total}"
    return [Check("Beam", total == "3", detail, REINSTALL)]


def _metadata(settings: Settings | None, _: str) -> list[Check]:
    from runners.metadata.sqlite import SqliteBackend
    from runners.metadata.store_backend import store_backend
    from runners.metadata_store import SqliteMetadata, metadata_connection

    if settings:
        backend = store_backend(settings)
        if not isinstance(backend, SqliteBackend) or backend.path.exists():
            at_once = {"metadata": settings.metadata.model_copy(update={"retry_seconds": 0.0})}
            with metadata_connection(settings.model_copy(update=at_once)) as connection:
                runs = len(connection.store.get_contexts_by_type("pipeline_run"))
            return [Check("metadata store", True, f"{runs} runs in {backend.place}")]
    # A new store is made by the run. Here one is tried where it leaves nothing behind.
    with tempfile.TemporaryDirectory() as folder, SqliteMetadata(Path(folder, "metadata.sqlite")) as connection:
        connection.store.get_context_types()
    return [Check("metadata store", True, "a new SQLite store works")]


def main(probe: str, engine: str) -> None:
    """Runs one probe on the settings that stdin holds as JSON; empty: none."""
    given = sys.stdin.read()
    settings = Settings.model_validate_json(given) if given else None
    try:
        checks = {"tensorflow": _tensorflow, "beam": _beam, "metadata": _metadata}[probe](settings, engine)
    except ScalableTFError as error:
        told = "; ".join(filter(None, [error.where, error.received]))
        checks = [Check(PROBES[probe][0], False, f"{error.what}{f' ({told})' if told else ''}", error.fix)]
    print(json.dumps([dataclasses.asdict(check) for check in checks]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
