"""A replica in each process of a Horovod job, https://horovod.readthedocs.io."""

from __future__ import annotations

import logging
import os
from typing import Any

import tensorflow as tf

from configs.training import Collectives, Training
from distribution.horovod_job import join_job
from distribution.horovod_strategy import HorovodStrategy
from distribution.membership import Membership
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)


def make(training: Training, own: Membership | None = None) -> tf.distribute.Strategy:
    """HorovodStrategy of the workers of a cluster.

    Raises:
        TrainingError: Horovod is not there, this process is no worker of a cluster, there are fewer GPUs than processes
            on this machine, or a setting cannot be honoured.
        tf.errors.UnavailableError: the others are not there.
    """
    if own is None or own.cluster.number("ps"):
        raise TrainingError(
            "The horovod strategy needs a cluster of workers, without parameter servers.",
            where="training.strategy",
            received="no cluster" if own is None else f"{own.cluster.number('ps')} parameter servers",
            fix="Set training.cluster.workers, or choose the parameter_server strategy.",
        )
    _check(training)
    hvd = _horovod()
    if training.collectives.implementation == "nccl" and not hvd.nccl_built():
        raise TrainingError(
            "This Horovod was built without NCCL.",
            where="training.collectives.implementation",
            received="nccl",
            fix="Build Horovod with HOROVOD_GPU_OPERATIONS=NCCL, or leave training.collectives.implementation out.",
        )
    _set_environment(training.collectives)
    join_job(hvd, own, training.cluster.start_seconds)
    device = _own_device(hvd.local_rank(), hvd.local_size())
    _LOG.info("Horovod: process %d of %d, on %s", hvd.rank(), hvd.size(), device)
    return HorovodStrategy(hvd, device, packed=training.collectives.bytes_per_pack > 0)


def _horovod() -> Any:
    try:
        import horovod.tensorflow as hvd
    except ImportError as error:
        raise TrainingError(
            "Horovod is not installed here, or was built for another TensorFlow.",
            where="training.strategy",
            received=f"horovod: {error}",
            fix="Run make horovod, or choose multi_worker_mirrored, which needs nothing more and trains alike.",
        ) from error
    return hvd


def _check(training: Training) -> None:
    if training.xla:
        raise TrainingError(
            "XLA cannot compile steps that exchange through Horovod.",
            where="training.xla",
            received=True,
            fix="Set training.xla to false, or training.strategy to multi_worker_mirrored.",
        )
    if training.devices not in (None, 1):
        raise TrainingError(
            "A process of a Horovod job uses one device.",
            where="training.devices",
            received=training.devices,
            fix="Leave training.devices out, and start a process for each GPU.",
        )


def _set_environment(settings: Collectives) -> None:
    """Horovod takes its settings from the environment only; what horovodrun's own options have set there stays."""
    seconds = str(max(1, round(settings.timeout_seconds)))
    # The first is for processes that do not answer, the second for those that do and never come to an exchange.
    os.environ.setdefault("HOROVOD_GLOO_TIMEOUT_SECONDS", seconds)
    os.environ.setdefault("HOROVOD_STALL_SHUTDOWN_TIME_SECONDS", seconds)
    os.environ.setdefault("HOROVOD_STALL_CHECK_TIME_SECONDS", str(max(1, int(seconds) // 2)))
    if settings.bytes_per_pack:
        os.environ.setdefault("HOROVOD_FUSION_THRESHOLD", str(settings.bytes_per_pack))


def _own_device(index: int, processes: int) -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "/cpu:0"
    if len(gpus) < processes:
        raise TrainingError(
            f"{processes} processes of the Horovod job share this machine's {len(gpus)} GPUs.",
            where="training.cluster.workers",
            received=processes,
            fix="Start at most one process for each GPU of a machine.",
        )
    tf.config.set_visible_devices(gpus[index], "GPU")
    return "/gpu:0"
