"""One run of a schedule, in the process that was started for it."""

from __future__ import annotations

from rich.console import Console

from runners.continuation import NotContinuableError
from runners.local import RunResult, run_local
from runners.partial_run import Part
from runners.schedule.child import Order


def scheduled_run(order: Order, console: Console) -> RunResult:
    """Makes it: goes on with the run that is named, or begins a new one where there is none to go on with.

    Args:
        order: what to do.
        console: where progress is shown.

    Raises:
        ScalableTFError: it could not begin, or not come to its end.
        Interrupted: a signal ended it.
    """
    job = order.job
    if job.run_id:
        try:
            return run_local(order.settings, console, resume=job.run_id, command=order.command, job=job)
        except NotContinuableError as error:
            console.print(f"Run {job.run_id} is not continued. {error}", markup=False, highlight=False)
    part = Part(last=job.last) if job.last else None
    return run_local(order.settings, console, part=part, command=order.command, job=job)
