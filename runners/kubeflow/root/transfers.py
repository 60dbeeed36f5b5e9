"""Several transfers at a time; the first that fails ends the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

PARALLEL = 8
"""Files on their way at a time: so many chunks are in memory."""


def transfer_all(transfers: Iterable[Callable[[], None]]) -> None:
    """Makes all transfers, in any order.

    Raises:
        ScalableTFError: as the first that failed raised it; none is under way any more then.
    """
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="transfer") as pool:
        futures = [pool.submit(transfer) for transfer in transfers]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown(wait=False, cancel_futures=True)
    for future in done:
        future.result()
