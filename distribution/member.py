"""What a task does in its training."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import tensorflow as tf

from distribution.device import configure_device, share_gpus
from distribution.membership import Membership
from distribution.preflight import PortError, StaleJobError, preflight
from distribution.sign_of_life import sign_of_life
from distribution.strategies.registry import make_strategy
from distribution.task import CRASHED, DONE, FAILED, TRY_AGAIN
from distribution.training_job import TrainingJob
from distribution.user_function import import_function
from models.execution_trace import TRACE_KEY, TRACED
from models.preemption import Preempted
from schemas.errors import ScalableTFError

_LOG = logging.getLogger(__name__)
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
"""What TensorFlow raises when another task is gone."""
_PASSING = ("Could not start gRPC server", "Stream removed", "Horovod has been shut down")
"""Of errors that are of no class of their own: the port was taken since the look at it, or another task is gone."""
_SIGNS_IN_TIME = 10
_DONE_POLL_SECONDS = 0.2
_OWN_FOLDERS = ("serving_model_dir", "eval_model_dir", "model_run_dir")


def take_part(job: TrainingJob, own: Membership) -> int:
    """Runs a task to its end, and notes in the job's folder what went wrong.

    Returns:
        The exit code, see `distribution.task`.

    Raises:
        StaleJobError: the job has been written anew: the task has to read it and begin again.
    """
    name = str(own.task)
    try:
        with sign_of_life(job, name, job.training.cluster.hung_seconds / _SIGNS_IN_TIME):
            _run(job, own)
    except Preempted as preempted:
        _LOG.info("%s: %s", name, preempted)
        return TRY_AGAIN
    except _LOST as error:
        _LOG.warning("%s has lost another task: %s", name, _first_line(error))
        return TRY_AGAIN
    except StaleJobError:
        raise
    except PortError as error:
        _LOG.warning("%s: %s", name, error)
        job.report(name, error)
        return TRY_AGAIN
    except ScalableTFError as error:
        _LOG.error("%s: %s", name, error)
        job.report(name, error)
        return FAILED
    except (Exception, SystemExit) as error:  # whatever it is, whoever started the task wants to know
        passing = next((part for part in _PASSING if part in str(error)), None)
        if passing is not None:
            _LOG.warning("%s: %s", name, passing)
            return TRY_AGAIN
        traceback.print_exc()
        job.report(name, None, f"{type(error).__name__}: {_first_line(error)}")
        return CRASHED
    return DONE


def _run(job: TrainingJob, own: Membership) -> None:
    training = job.training
    logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it logs each exchange of gradients
    processors = len(os.sched_getaffinity(0))
    # With one thread a worker stands still while it waits for others: the exchange waits in the same pool.
    share_gpus(training, own)
    configure_device(training.device, intra_op=max(2, processors), inter_op=max(2, processors))
    with preflight(own, job, training.cluster.start_seconds, calls_first=training.strategy != "horovod"):
        _play(job, own)


def _play(job: TrainingJob, own: Membership) -> None:
    """Does what the task's role is there for."""
    if own.task.role == "ps" or (own.cluster.number("ps") and own.task.role == "worker"):
        _serve(job, own)
        return
    function = import_function(job.run_fn)
    with _arguments(job, own) as arguments:
        if own.task.role == "evaluator":
            function(arguments)
            return
        _train(job, own, function, arguments)
    if own.is_chief:
        job.finish()
    else:  # the chief may still be exporting, and takes a worker that has gone for a lost one
        _await_done(job, own)


def _train(job: TrainingJob, own: Membership, function: Callable[[Any], Any], arguments: SimpleNamespace) -> None:
    """Runs the run_fn; what its strategy holds on other tasks is given up while they are there to answer."""
    strategy = make_strategy(job.training, own)
    _LOG.info("%s trains with %s on %d replica(s)", own.task, type(strategy).__name__, strategy.num_replicas_in_sync)
    TRACED.set(own.is_chief and TRACE_KEY in job.fn_args["custom_config"])
    with strategy.scope():
        function(arguments)


def _serve(job: TrainingJob, own: Membership) -> None:
    """Does what the chief of a parameter-server training asks for, until it has finished."""
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        inter_op_parallelism_threads=tf.config.threading.get_inter_op_parallelism_threads(),
    )
    spec = tf.train.ClusterSpec(
        {role: list(found) for role, found in own.cluster.addresses.items() if role != "evaluator"}
    )
    server = tf.distribute.Server(
        spec, job_name=own.task.role, task_index=own.task.index, protocol="grpc", config=config, start=True
    )
    _LOG.info("%s serves at %s", own.task, server.target)
    _await_done(job, own)


def _await_done(job: TrainingJob, own: Membership) -> None:
    while not job.is_done:
        if job.failure(str(own.cluster.chief)) is not None:
            raise tf.errors.AbortedError(None, None, "the chief has failed")
        time.sleep(_DONE_POLL_SECONDS)


@contextlib.contextmanager
def _arguments(job: TrainingJob, own: Membership) -> Iterator[SimpleNamespace]:
    """FnArgs of this task: all but the chief write to folders of their own, which are removed."""
    custom = {
        **job.fn_args["custom_config"],
        "backup_dir": job.backup_dir,
        "cluster_dir": job.folder,
        "role": own.task.role,
    }
    given: dict[str, Any] = {**job.fn_args, "custom_config": custom}
    if own.is_chief or own.task.role == "evaluator":
        yield Arguments(**given)
        return
    scratch = tempfile.mkdtemp(prefix=f"{own.task}-")
    try:
        yield Arguments(**{**given, **{key: os.path.join(scratch, key) for key in _OWN_FOLDERS}})
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class Arguments(SimpleNamespace):
    """TFX's FnArgs in another process than the Trainer's."""

    @property
    def data_accessor(self) -> Any:
        """As in FnArgs; made when it is asked for, because few run_fns do and TFX takes seconds to import."""
        from tfx.components.trainer.fn_args_utils import DataAccessor
        from tfx.components.util import tfxio_utils
        from tfx.types.artifact import Artifact

        examples = [Artifact.from_json_dict(one) for one in self.custom_config["examples"]]
        return DataAccessor(
            tfxio_utils.get_tf_dataset_factory_from_artifact(examples, ["Trainer"]),
            tfxio_utils.get_record_batch_factory_from_artifact(examples, ["Trainer"]),
            tfxio_utils.get_data_view_decode_fn_from_artifact(examples, ["Trainer"]),
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return lines[0][:500]
