from __future__ import annotations

import time

from serving.server.deadline import Deadline


def test_who_ends_a_call_a_moment_before_the_deadline_was_late() -> None:
    now = time.monotonic()
    assert Deadline(now + 0.01, now - 0.29).ended_call()
    assert not Deadline(now + 10, now).ended_call()
    # gRPC rounds: of 100 s up to two.
    assert Deadline(now + 1.5, now - 98.5).ended_call()
    assert not Deadline(None).ended_call()
