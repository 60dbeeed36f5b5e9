"""Work that would hold up an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def on_thread(
    threads: Executor, function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs
) -> Result:
    """What a function gives, computed by a thread; it has ended when this ends, also where this is cancelled.

    Args:
        threads: one of them computes it.
        function: what is called.
        given: to call it with.
        named: the same.
    """
    work = asyncio.wrap_future(threads.submit(function, *given, **named))
    return await ended(work)


async def ended(work: asyncio.Future[Result]) -> Result:
    """What a future gives; where this is cancelled, it ends with the future nevertheless."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return work.result()
