"""What is said at the end of one pass: what is left to do and when, and why it did not end well."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from components.example_gen.spans import shown_span
from configs.schedule import Schedule
from runners.schedule.decision import Decision, Plan
from runners.schedule.plan import shown_time

_SHOWN = 30


def pass_report(
    plan: Plan,
    schedule: Schedule,
    *,
    place: str,
    dated: bool,
    made: int,
    released: Collection[str],
    failures: Collection[str],
) -> Iterator[str]:
    """The lines, for people.

    Args:
        plan: in which nothing is left to be done now.
        schedule: the section of the settings.
        place: where spans are looked for.
        dated: whether spans are days.
        made: how many runs the pass has made.
        released: what it has released: a text for each, with its span.
        failures: why its exit code is not 0: likewise.
    """
    waiting = [one for one in plan.decisions if one.action == "wait"]
    if made:
        yield f"Nothing more to do now; runs in this pass: {made}."
        yield from _decisions(waiting, dated)
    elif plan.decisions:
        yield "Nothing to do: no span is due."
        yield from _decisions(plan.decisions, dated)
    else:
        yield f"Nothing to do: no span is there: {place}"
    if plan.next_tick is not None:
        yield f"Next time: {shown_time(schedule, plan.next_tick)}."
    if failures:
        yield f"Exit code 1: {len(failures)} did not end well{', although others were released' * bool(released)}."
        yield from (f"  not well: {failure}" for failure in failures)
        yield from (f"  released: {release}" for release in released)


def _decisions(decisions: Sequence[Decision], dated: bool) -> Iterator[str]:
    for one in decisions[-_SHOWN:]:
        name = shown_span(one.span, dated) + (f" to {shown_span(one.end, dated)}" if one.end != one.span else "")
        yield f"  span {name}: {one.action}: {one.why}"
    if len(decisions) > _SHOWN:
        yield f"  and {len(decisions) - _SHOWN} older ones"
