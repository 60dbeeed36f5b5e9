"""What an engine says of a job that failed, in words that tell what to do."""

from __future__ import annotations

from schemas.errors import RunError

# (a part of what it says, what is wrong, how to mend it)
_FAILURES = (
    (
        "StatusRuntimeException: CANCELLED: client cancelled",
        "A worker of the engine was lost in the middle of a job.",
        "It was killed, often because memory ran out: see the log of the engine. Nothing of the node was published: "
        "resume the run.",
    ),
    (
        "IllegalStateException: Process died with exit code",
        "A worker process of the engine did not start.",
        "The log of the engine's machine says why. Often it does not see output_dir, in whose logs folder is what the "
        "job server hands to workers; or engine.{kind}.workers.environment leads to no Python with our packages. Then "
        "resume the run.",
    ),
    (
        "java.lang.OutOfMemoryError",
        "The engine has too little memory.",
        "Raise engine.{kind}.memory_mb, the heap of a job server that the run starts, or the memory of your cluster; "
        "with Flink, engine.flink.network_mb is a part of it. Then resume the run.",
    ),
    (
        "Insufficient number of network buffers",
        "The engine has too few network buffers.",
        "Raise engine.flink.network_mb, or taskmanager.memory.network.max of your cluster, and resume the run; the "
        "need grows with engine.flink.parallelism.",
    ),
    (
        "java.io.InvalidClassException",
        "The cluster of the engine is of another version than the job server.",
        "Let `make engines` get the job server for its version, and set engine.{kind}.jars to the folder; then resume "
        "the run.",
    ),
    (
        "java.net.ConnectException: Connection refused",
        "The cluster of the engine does not answer.",
        "Check engine.{kind}.master: nothing listens there. Then resume the run.",
    ),
)
_SHOWN = 500


def engine_failure(kind: str, text: str) -> RunError | None:
    """The error that the text of a failed job stands for; None where it is not known.

    Args:
        kind: of the engine.
        text: as Beam passes it on.
    """
    for part, what, fix in _FAILURES:
        if part in text:
            received = text.splitlines()[0][:_SHOWN]
            return RunError(what, where=f"engine {kind}", received=received, fix=fix.format(kind=kind))
    return None
