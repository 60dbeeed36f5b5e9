"""The training section of the settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from configs.kubernetes_pods import KubernetesPods
from configs.section import Location, Section
from schemas.errors import PlacedValueError


class Schedule(Section):
    """How the learning rate moves with the step."""

    kind: Literal["constant", "cosine", "exponential", "linear"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    decay_steps: int | None = Field(None, ge=1, description="Default: all steps of the training.")
    decay_rate: float = Field(0.96, gt=0.0, le=1.0, description="Of the exponential schedule, each decay_steps.")
    final: float = Field(0.0, ge=0.0, description="Learning rate at the end, as a fraction of the first.")


class Optimizer(Section):
    """The update rule."""

    name: Literal["adam", "adamw", "sgd", "adagrad", "rmsprop", "ftrl"] = "adam"
    learning_rate: float = Field(0.001, gt=0.0)
    schedule: Schedule = Schedule()
    momentum: float = Field(0.0, ge=0.0, lt=1.0, description="For sgd and rmsprop.")
    weight_decay: float = Field(0.0, ge=0.0, description="For adamw.")
    clip_norm: float | None = Field(None, gt=0.0, description="Global norm to which gradients are clipped.")
    ema: float | None = Field(
        None, gt=0.0, lt=1.0, description="Momentum of an average of the weights that is evaluated and exported."
    )


STOPPED_FILE = "stopped_early.txt"
"""In the Trainer's `model_run`: what is said of a training that was stopped early."""


class EarlyStopping(Section):
    """Stops when a metric on the eval split no longer improves, and keeps the best weights."""

    monitor: str = "val_loss"
    patience: int = Field(3, ge=0, description="Epochs without improvement.")
    min_delta: float = Field(0.0, ge=0.0)


class Scaling(Section):
    """What the learning rate makes of more replicas; for trainings that set replica_batch_size."""

    learning_rate: Literal["none", "linear", "square_root"] = Field(
        "none",
        description="Factor by which it grows with the number of replicas. linear: Goyal et al. 2017, "
        "arXiv 1706.02677; square_root: Krizhevsky 2014, arXiv 1404.5997, for Adam and its kind.",
    )
    warmup_epochs: float = Field(
        5.0,
        ge=0.0,
        description="Epochs in which it climbs there from its unscaled value; at most half of the training.",
    )


class Partitioner(Section):
    """How parameter servers share a variable; one that is smaller stays whole on one of them."""

    kind: Literal["min_size", "fixed_shards", "none"] = "min_size"
    min_bytes: int = Field(262_144, ge=1, description="Least size of a shard of min_size.")
    shards: int | None = Field(None, ge=1, description="Shards of fixed_shards; default: one for each ps.")


class Collectives(Section):
    """How workers exchange gradients."""

    implementation: Literal["auto", "ring", "nccl"] = Field("auto", description="nccl: between GPUs only.")
    bytes_per_pack: int = Field(
        0,
        ge=0,
        description="Gradients go in packs of so many bytes, while others are still computed; 0: all at once.",
    )
    timeout_seconds: float = Field(
        600.0, gt=0.0, description="How long a worker waits in an exchange for others that do not come."
    )


class Device(Section):
    """What TensorFlow takes of the machine, in each process of the training."""

    intra_op_threads: int | None = Field(
        None, ge=1, description="Threads within an operation; default: chosen and logged."
    )
    inter_op_threads: int | None = Field(
        None, ge=1, description="Operations at the same time; default: chosen and logged."
    )
    memory_growth: bool = Field(True, description="Take a GPU's memory when it is needed, not all at the start.")
    memory_limit_mb: int | None = Field(None, ge=1, description="Most memory to take of each GPU, in MiB.")
    log_placement: bool = Field(False, description="Log the device of each operation.")

    @model_validator(mode="after")
    def _one_memory_rule(self) -> Device:
        if self.memory_limit_mb is not None and self.memory_growth and "memory_growth" in self.model_fields_set:
            raise PlacedValueError(
                "cannot go with memory_growth: a GPU's memory is limited or grows", ("memory_limit_mb",)
            )
        return self


class Cluster(Section):
    """The processes of one training, on one machine or several."""

    workers: int | None = Field(None, ge=1, description="Workers; default: one, and two for strategies of several.")
    ps: int | None = Field(None, ge=1, description="Parameter servers; default: one for the parameter_server strategy.")
    evaluator: bool = Field(False, description="One more task, which evaluates each checkpoint for TensorBoard.")
    launcher: Literal["local", "kubernetes", "env"] = Field(
        "local",
        description="local: processes of this machine; kubernetes: Indexed Jobs; env: somebody else starts the tasks, "
        "each with its TF_CONFIG (or Vertex AI's CLUSTER_SPEC).",
    )
    folder: Location | None = Field(
        None, description="Folder that all tasks share; default: in the Trainer's own working folder."
    )
    start_seconds: float = Field(300.0, gt=0.0, description="How long tasks are waited for at the start.")
    hung_seconds: float = Field(
        120.0, gt=0.0, description="A task that gives no sign of life for so long is reported, ended and started again."
    )
    grace_seconds: float = Field(20.0, ge=0.0, description="Time to save the state, for tasks that are asked to end.")
    kubernetes: KubernetesPods = KubernetesPods()


class Training(Section):
    """How the model is trained and where."""

    strategy: Literal[
        "auto", "default", "one_device", "mirrored", "multi_worker_mirrored", "parameter_server", "central_storage",
        "tpu", "horovod",
    ] = "auto"  # fmt: skip
    cluster: Cluster = Cluster()
    max_restarts: int = Field(3, ge=0, description="How often lost tasks of a cluster are started again.")
    devices: int | None = Field(None, ge=1, description="GPUs that each process uses; default: all.")
    device: Device = Device()
    collectives: Collectives = Collectives()
    partitioner: Partitioner = Partitioner()
    tpu: str | None = Field(None, description="Name or address of the TPU; default: the one of this machine.")
    loop: Literal["fit", "custom"] = Field("fit", description="Keras's Model.fit, or our own loop of the same steps.")
    batch_size: int | None = Field(
        None,
        ge=1,
        description="Examples a step, over all replicas. Default: 256, or less, down to 16, to have 32 steps an epoch.",
    )
    replica_batch_size: int | None = Field(
        None,
        ge=1,
        description="Examples a step of each replica, in place of batch_size: more replicas, a larger batch.",
    )
    scaling: Scaling = Scaling()
    accumulation: int = Field(
        1, ge=1, description="Pieces in which a replica's batch is computed, one after the other, before one update."
    )
    warm_start: bool = Field(
        False,
        description="Begin with the weights of the blessed model of the span before; else, and where it has other "
        "layers or sizes, from scratch. Give model.embedding_size: the default follows the vocabularies.",
    )
    epochs: int = Field(10, ge=1)
    steps: int | None = Field(
        None, ge=1, lt=2**31, description="Steps, whatever epochs says; early_stopping may end it sooner."
    )
    steps_per_execution: int | None = Field(
        None, ge=1, description="Steps between two returns to Python; default: up to 64."
    )
    loss: Literal["squared", "absolute"] | None = Field(
        None,
        description="Error of a predicted number. absolute aims at the median, which outliers do not move, and squared "
        "(the default) at the mean. Classes are always trained on cross-entropy.",
    )
    optimizer: Optimizer = Optimizer()
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    xla: bool = False
    seed: int = Field(42, ge=0, lt=2**32)
    shuffle_buffer: int = Field(100_000, ge=1, description="Examples held for shuffling where cache is false.")
    cache: bool = Field(True, description="Keep the decoded examples in memory; else files are read again every epoch.")
    cache_bytes: int = Field(
        4 * 2**30,
        ge=1,
        description="Most memory of a split's decoded examples, in each process that reads it; a larger split is read "
        "as if cache were false.",
    )
    early_stopping: EarlyStopping | None = EarlyStopping()
    tensorboard: bool = True
    log_steps: int = Field(100, ge=1, description="Steps between two lines of the custom loop in log and TensorBoard.")
    backup: bool = Field(True, description="An interrupted training goes on at the last step that was backed up.")
    backup_seconds: float = Field(30.0, ge=0.0, description="Least time between two backups; 0: as often as possible.")
    backup_steps: int | None = Field(None, ge=1, description="Steps between two backups, in place of backup_seconds.")
    backup_keep: int = Field(2, ge=1, description="Backups to keep.")

    @model_validator(mode="after")
    def _consistent(self) -> Training:
        if self.replica_batch_size is not None and self.batch_size is not None:
            raise PlacedValueError("cannot go with batch_size: give one of them", ("replica_batch_size",))
        if self.scaling.learning_rate != "none" and self.replica_batch_size is None:
            raise PlacedValueError(
                "needs replica_batch_size: a batch_size over all replicas does not grow with them",
                ("scaling", "learning_rate"),
            )
        alone = self.strategy in ("default", "one_device", "mirrored", "central_storage", "tpu")
        if alone and (self.cluster.workers or 1) > 1:
            raise PlacedValueError(
                f"must be 1 or left out: the {self.strategy} strategy runs in one process; choose "
                "multi_worker_mirrored, parameter_server or horovod for several",
                ("cluster", "workers"),
            )
        several = not alone and (
            self.strategy != "auto" or (self.cluster.workers or 1) > 1 or self.cluster.ps is not None
        )
        if not several and self.cluster.launcher != "local":
            raise PlacedValueError(
                "needs training.cluster.workers, as many as the cluster has, or a training.strategy of several tasks",
                ("cluster", "launcher"),
            )
        if self.cluster.evaluator and not (several and self.backup):
            raise PlacedValueError(
                "needs a strategy of several tasks, and training.backup: it evaluates each backup",
                ("cluster", "evaluator"),
            )
        if self.parameter_servers and not self.cache:
            raise PlacedValueError(
                "must be true for parameter servers: each worker keeps the whole split in memory", ("cache",)
            )
        if self.cluster.ps is not None and self.strategy not in ("auto", "parameter_server"):
            raise PlacedValueError(
                f"must be left out: the {self.strategy} strategy has no parameter servers", ("cluster", "ps")
            )
        return self

    @property
    def parameter_servers(self) -> bool:
        """Whether parameter servers hold the variables."""
        return self.strategy == "parameter_server" or (self.strategy == "auto" and self.cluster.ps is not None)
