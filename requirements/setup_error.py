"""What the set-up cannot go on without, told to the user: a twin of schemas.errors.SetupError for any Python 3."""

import sys
from typing import Callable


class SetupError(Exception):
    """The machine lacks something.

    Args:
        what: one sentence, what is wrong.
        received: what was found instead.
        fix: what to do about it.
    """

    def __init__(self, what: str, received: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.received = received
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  Received: {self.received}\n  Fix: {self.fix}"


def exit_code_of(step: Callable[[], None]) -> int:
    """Runs a step of the set-up and gives its exit code: 0, 2 when something lacks, 130 when interrupted."""
    try:
        step()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; call again to go on", file=sys.stderr)
        return 130
    return 0
