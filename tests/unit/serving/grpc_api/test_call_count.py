from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from serving.grpc_api.call_count import CallCount


def test_the_end_of_the_last_call_is_waited_for() -> None:
    calls = CallCount()
    assert calls.wait(0)
    calls.begin()
    calls.begin()
    calls.end()
    assert not calls.wait(0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(calls.wait, 30)
        calls.end()
        assert waiting.result()
