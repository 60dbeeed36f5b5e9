"""How many tasks of each role a training has."""

from __future__ import annotations

from configs.training import Training

_SEVERAL = 2


def cluster_shape(training: Training) -> dict[str, int]:
    """The number of tasks by role.

    Parameter servers are coordinated by a chief, which does not train itself; elsewhere the first worker leads.

    Args:
        training: settings with a strategy of several tasks; two workers, and one parameter server, are the default.
    """
    wanted = training.cluster
    workers = wanted.workers or _SEVERAL
    shape = {"worker": workers}
    if training.strategy == "parameter_server":
        shape = {"chief": 1, "worker": workers, "ps": wanted.ps or 1}
    return {**shape, "evaluator": 1} if wanted.evaluator else shape
