"""What tasks tell of themselves by other means than their pods."""

from __future__ import annotations

from schemas.errors import ScalableTFError


class TaskReports:
    """Of tasks that tell nothing; `distribution.launchers.kubernetes` has those of our own tasks."""

    def begins(self, task: str) -> None:
        """A pod of the task starts; what an earlier one told is forgotten.

        Args:
            task: role and index, as worker-1.
        """

    def silent_for(self, task: str) -> float | None:
        """Seconds for which a task has given no sign of life, where these are too many."""
        return None

    def failure(self, task: str) -> ScalableTFError | None:
        """The error that a task has left, for whoever started it."""
        return None
