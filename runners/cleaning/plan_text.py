"""A plan as text for people."""

from __future__ import annotations

from rich.console import Console

from runners.cleaning.plan import Doomed, Plan, Sum

_SHOWN = 20
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def print_plan(plan: Plan, console: Console, *, done: bool) -> None:
    """What goes or went, with sizes, and why the rest stays."""
    total = sum(folder.bytes for folder in plan.remove)
    verb = "Removed" if done else "Would remove"
    _line(f"{verb} {len(plan.remove)} folders, {readable_bytes(total)}.", console)
    for reason in dict.fromkeys(folder.reason for folder in plan.remove):
        _print_removed(reason, [folder for folder in plan.remove if folder.reason == reason], console)
    if plan.forget:
        _line(f"  {len(plan.forget)} artifacts have no files any more; ML Metadata is told.", console)
    _print_sums("Kept:", plan.keep, console)
    _print_sums("Left alone:", plan.leave, console)
    for note in plan.notes:
        _line(f"Note: {note}", console)
    if plan.remove and not done:
        _line("This was a dry run. --yes removes them.", console)


def readable_bytes(count: int) -> str:
    """A size as people read it: `812 B`, `3.4 MiB`."""
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{count} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def _print_removed(reason: str, folders: list[Doomed], console: Console) -> None:
    _line(f"  {reason}: {len(folders)} folders, {readable_bytes(sum(one.bytes for one in folders))}", console)
    largest = sorted((one for one in folders if one.bytes), key=lambda one: (-one.bytes, one.path))
    for folder in largest[:_SHOWN]:
        _line(f"    {readable_bytes(folder.bytes):>10}  {folder.path}", console)
    rest = len(folders) - len(largest[:_SHOWN])
    if rest and largest:
        _line(f"    and {rest} {'smaller' if len(largest) > _SHOWN else 'empty'} ones; --json lists them", console)


def _print_sums(title: str, sums: list[Sum], console: Console) -> None:
    if sums:
        _line(title, console)
    for one in sums:
        _line(f"  {one.reason}: {one.folders} folders, {readable_bytes(one.bytes)}", console)


def _line(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
