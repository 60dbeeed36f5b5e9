from __future__ import annotations

import pytest

from runners.engine_failure import engine_failure


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("Status: CANCELLED: client cancelled", None, ""),
        ("io.grpc.StatusRuntimeException: CANCELLED: client cancelled", "A worker of the engine was lost", "resume"),
        ("java.lang.IllegalStateException: Process died with exit code 1", "did not start", "does not see output_dir"),
        ("java.lang.OutOfMemoryError: Direct buffer memory", "too little memory", "engine.flink.memory_mb"),
        ("java.io.IOException: Insufficient number of network buffers: required 9", "network buffers", "network_mb"),
        ("java.io.InvalidClassException: a.B; local class incompatible", "another version", "engine.flink.jars"),
        ("java.net.ConnectException: Connection refused", "does not answer", "engine.flink.master"),
    ],
)
def test_what_an_engine_says(text: str, what: str | None, fix: str) -> None:
    found = engine_failure("flink", f"Pipeline a failed in state FAILED: {text}\n  at java...")
    assert (found is None) == (what is None)
    if found is not None:
        assert what is not None
        assert what in found.what
        assert fix in found.fix
        assert found.received == f"Pipeline a failed in state FAILED: {text}"
