"""Exit codes of `scalable-tf`; argparse has 2, for a wrong command line."""

from __future__ import annotations

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NOT_BLESSED = 3
EXIT_DIFFERENT = 4
EXIT_ROLLED_BACK = 5
EXIT_UNDECIDED = 6
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141  # as a shell shows a command that SIGPIPE has ended
