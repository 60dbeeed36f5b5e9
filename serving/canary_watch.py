"""Watching a canary: traffic of both versions, looked at again and again, until a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable

from schemas.counted import counted
from schemas.errors import ReleaseError
from serving.canary import Limits, Traffic, Verdict, decide

_TOLD_EVERY = 10.0  # seconds


def watch_canary(
    look: Callable[[], tuple[Traffic, Traffic]],
    limits: Limits,
    seconds: float,
    poll_seconds: float,
    say: Callable[[str], None],
) -> Verdict:
    """Waits until the canary is promoted or rolled back by the rules.

    Args:
        look: gives what stable and the canary have been asked since the beginning.
        limits: the rules.
        seconds: how long until it stays at `keep watching`.
        poll_seconds: between two looks.
        say: told of the state now and then, and at the end.
    """
    end, told = time.monotonic() + seconds, float("-inf")
    while True:
        stable, canary = look()
        verdict = decide(stable, canary, limits)
        now = time.monotonic()
        over = verdict.decision != "keep watching" or now >= end
        if over or now - told >= _TOLD_EVERY:
            told, total = now, stable.requests + canary.requests
            part = f", {100 * canary.requests / total:.1f} % canary" if total else ""
            say(f"{counted(total, 'live request')}{part}: {verdict.decision}: {'; '.join(verdict.reasons)}")
        if over:
            return verdict
        time.sleep(min(poll_seconds, max(end - now, 0.0)))


def silent(error: ReleaseError) -> ReleaseError:
    """What is to be said of a server that answered when the watch began, and does not any more."""
    return ReleaseError(
        "A model server that the canary is watched at does not answer any more.",
        where=error.where,
        received=error.received,
        fix="See whether it runs, and what its log says. Then give the command again, or end the canary: "
        "scalable-tf release rollback --canary.",
    )
