"""A model made ready for training."""

from __future__ import annotations

import tensorflow as tf

from configs.training import Training
from models.head import Head
from models.network import Network
from models.optimizer import make_optimizer
from models.plan import Plan
from models.scale import Scale
from schemas.errors import TrainingError

_SCALE_LOSSES = (
    tf.distribute.MirroredStrategy,
    tf.distribute.MultiWorkerMirroredStrategy,
    tf.distribute.OneDeviceStrategy,
)


def compile_model(model: Network, head: Head, settings: Training, plan: Plan) -> None:
    """Gives the model its optimizer, with its variables, its loss and its metrics.

    Args:
        model: a model whose variables exist.
        head: loss and metrics.
        settings: optimizer, loss, accumulation, XLA.
        plan: steps and replicas.

    Raises:
        TrainingError: float16 under a strategy that cannot scale losses, or XLA under one that cannot be compiled.
    """
    strategy = tf.distribute.get_strategy()
    if (
        settings.precision == "mixed_float16"
        and tf.distribute.has_strategy()
        and not isinstance(strategy, _SCALE_LOSSES)
    ):
        raise TrainingError(
            f"mixed_float16 needs its loss scaled, which {type(strategy).__name__} cannot do.",
            where="training.precision",
            received=settings.precision,
            fix="Set training.precision to mixed_bfloat16 or float32, or choose another training.strategy.",
        )
    # An exchange among the replicas of one process returns to Python, which a compiled step cannot.
    if settings.xla and plan.replicas > 1 and strategy.extended._use_merge_call():
        raise TrainingError(
            f"XLA cannot compile the steps of {plan.replicas} replicas of {type(strategy).__name__}.",
            where="training.xla",
            received=settings.xla,
            fix="Set training.xla to false, or train on one device, or with multi_worker_mirrored.",
        )
    model.accumulation = settings.accumulation
    model.compile(
        optimizer=make_optimizer(settings.optimizer, plan.steps, Scale.of(settings.scaling, plan)),
        loss=head.loss(settings.loss),
        metrics=head.metrics(),
        weighted_metrics=[],
        steps_per_execution=plan.steps_per_execution,
        jit_compile=settings.xla,
    )
    # Otherwise the first step is traced twice, the second time to do without making the optimizer's variables; and a
    # backup could not be restored into them.
    model.optimizer.build(model.trainable_variables)
