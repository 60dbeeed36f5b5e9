"""Calls that go on together."""

from __future__ import annotations

import asyncio

_SECONDS = 0.002


class Arrivals:
    """Has the calls of an event loop wait for each other, for two milliseconds at most.

    For each call, gRPC's own code on the loop wakes another of its threads several times, after which a processor runs
    Python more slowly. What is done for several calls in a row, and nothing of gRPC's between, is done faster.
    """

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Ends together with that of others."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(_SECONDS, self._go_on)
        future = loop.create_future()
        self._waiting.append(future)
        await future

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():  # it is cancelled
                future.set_result(None)
