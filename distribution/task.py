"""One task of a training: `python -m distribution.task FOLDER`, with TF_CONFIG or the like in the environment.

FOLDER holds the job, see `distribution.training_job`. Exit codes tell whoever started it what to do:

    0    done: the chief has exported the model
    1    a mistake, which FOLDER/results describes: trying again would end the same way
    70   a crash (EX_SOFTWARE), which FOLDER/results describes: a mistake, or what came of the loss of another task
    75   try again (EX_TEMPFAIL of sysexits.h): another task was lost, or this one was asked to end; the state is saved
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from schemas.errors import ScalableTFError

_LOG = logging.getLogger(__name__)

DONE, FAILED, USAGE, CRASHED, TRY_AGAIN = 0, 1, 2, 70, 75
START_SECONDS = "STF_START_SECONDS"
"""How long the job is waited for; the settings are in the job itself."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the task of this process.

    Args:
        arguments: the folder.
        environment: says which task it is, see `distribution.membership`.

    Returns:
        The exit code.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m distribution.task FOLDER\n")
        return USAGE
    (folder,) = arguments
    # TensorFlow reads this when it is first imported: Keras is tf_keras in every process.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    from distribution.member import take_part
    from distribution.membership import Membership
    from distribution.preflight import StaleJobError
    from distribution.training_job import TrainingJob

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        own = Membership.from_environment(environment)
        seconds = float(environment.get(START_SECONDS, 300.0))
        _LOG.info("%s takes its job from %s, for which it waits %.0f s (%s)", own.task, folder, seconds, START_SECONDS)
        while True:
            job = TrainingJob.read(folder, seconds)
            # The evaluator looks at the last backups even so.
            if own.task.role != "evaluator" and job.is_done:
                # That of an earlier training, or this task is in the place of one that was lost after the last step.
                if job.is_replaced_within(seconds):
                    continue
                _LOG.info("%s: the chief has finished", own.task)
                return DONE
            try:
                return take_part(job, own)
            except StaleJobError as error:
                _LOG.info("%s", error)
    except ScalableTFError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


if __name__ == "__main__":
    code = main(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # TensorFlow's exit handlers call tasks that have gone, whose hosts may never answer
