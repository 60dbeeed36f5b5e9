"""Where the Beam work inside a node executes.

An engine is a function that makes the Beam pipeline of an executor. The node entry point injects it, so the compiled
graph holds no Beam arguments: its cache keys do not depend on the engine, and TFX does not build a source distribution
for every executor (which it does as soon as it sees any argument).
"""

from __future__ import annotations

from collections.abc import Callable

import apache_beam as beam

from configs.settings import Engine
from runners.crew import Crew
from runners.inline import InlineRunner
from runners.processors import processors
from runners.record_batches import batch_by_size

# Named in full: a bare DirectRunner may go looking for a Prism binary to download.
_DIRECT = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"

_MOST_PROCESSES = 8  # each takes memory, and most nodes have no use for so many

MakePipeline = Callable[[], beam.Pipeline]


def beam_pipeline(engine: Engine, crew: Crew | None = None) -> MakePipeline:
    """The function that makes an executor's Beam pipeline on this engine.

    Args:
        engine: settings.
        crew: processes that the inline engine may use, from `crew_of`.
    """
    runners: dict[str, Callable[[], object]] = {
        "direct": lambda: _DIRECT,
        "inline": lambda: InlineRunner(crew=crew),
        "auto": lambda: InlineRunner(engine.inline_max_bytes, crew),
    }
    runner = runners[engine.kind]

    def make() -> beam.Pipeline:
        batch_by_size()
        return beam.Pipeline(runner=runner(), argv=[])

    return make


def crew_of(engine: Engine) -> Crew:
    """Processes for one node, to be made before it runs an operation of TensorFlow and before it opens the store."""
    processes = engine.processes or min(processors(), _MOST_PROCESSES)
    return Crew(0 if engine.kind == "direct" else processes - 1)
