"""The section training.cluster.kubernetes of the settings."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from configs.section import Section
from schemas.errors import PlacedValueError

DnsName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
"""The name of a Kubernetes object."""

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|[KMGTP]i?|E|Ei)?$")]
"""An amount as Kubernetes writes it: 2, 500m, 8Gi."""

Role = Literal["chief", "worker", "ps", "evaluator"]
"""What a task of a cluster does, as TF_CONFIG names it."""


class Resources(Section):
    """What one task may use; requested and limited alike, so that a node never has to take it back."""

    cpu: Quantity | None = Field(None, description="Cores, such as 4 or 500m.")
    memory: Quantity | None = Field(None, description="Such as 8Gi.")
    gpus: int = Field(0, ge=0)


class Volume(Section):
    """Storage that every task of a training sees at the same path."""

    mount: str = Field(pattern=r"^/[^:]*$", description="Where the tasks see it.")
    claim: DnsName | None = Field(None, description="A PersistentVolumeClaim in the namespace.")
    host_path: str | None = Field(None, pattern=r"^/", description="Or: a folder that every node has.")
    sub_path: str | None = Field(None, description="Only this folder of it.")
    read_only: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> Volume:
        if (self.claim is None) == (self.host_path is None):
            raise ValueError("give either claim or host_path")
        return self


class Toleration(Section):
    """A taint of nodes on which tasks may run all the same; Kubernetes' own fields."""

    key: str | None = Field(None, description="Default: every taint, with operator Exists.")
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(None, description="Default: all.")

    @model_validator(mode="after")
    def _complete(self) -> Toleration:
        if self.operator == "Exists" and self.value is not None:
            raise PlacedValueError("must be left out with operator Exists", ("value",))
        if self.operator == "Equal" and self.key is None:
            raise PlacedValueError("must be given, or operator be Exists", ("key",))
        return self


class KubernetesPods(Section):
    """The pods in which the kubernetes launcher runs the tasks of a training."""

    manifests: Literal["jobs", "jobset", "tfjob"] = Field(
        "jobs",
        description="jobs: Indexed Jobs, which any cluster has and the launcher applies. jobset, tfjob: for the "
        "operators of those names; scalable-tf manifests prints them.",
    )
    context: str | None = Field(None, description="Of the kubeconfig; default: its current one.")
    namespace: DnsName | None = Field(None, description="Default: that of the context, or of the pod we run in.")
    image: str | None = Field(None, min_length=1, description="With this project, the user's code and its packages.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="Default: Kubernetes' own."
    )
    image_pull_secrets: tuple[DnsName, ...] = Field((), description="Secrets with the registry's credentials.")
    service_account: DnsName | None = Field(None, description="Default: the namespace's.")
    resources: dict[Role, Resources] = Field({}, description="By role; what is left out is up to the namespace.")
    gpu_resource: str = Field("nvidia.com/gpu", description="What the cluster calls a GPU.")
    shared_memory: Quantity | None = Field(None, description="Size of /dev/shm, which NCCL uses between GPUs.")
    node_selector: dict[str, str] = Field({}, description="Labels that a node must have.")
    tolerations: tuple[Toleration, ...] = ()
    volumes: tuple[Volume, ...] = Field((), description="At least the one that holds output_dir.")
    environment: dict[str, str] = Field({}, description="Variables of the tasks; not for secrets.")
    environment_secrets: tuple[DnsName, ...] = Field((), description="Secrets whose keys become variables.")
    labels: dict[str, str] = Field({}, description="Further labels of all that is applied, such as a queue's name.")
    annotations: dict[str, str] = Field({}, description="Annotations of the pods.")
    user: int | None = Field(None, ge=1, description="User id of the tasks; default: the image's.")
    group: int | None = Field(None, ge=0, description="Group id that owns the volumes.")
    port: int = Field(2222, ge=1, le=65535, description="On which the tasks reach each other.")
    pull_seconds: float = Field(30.0, ge=0.0, description="How long an image that cannot be pulled is tried again.")
    keep_seconds: int = Field(
        3600, ge=0, description="What a killed launcher could not remove goes so long after the training's end."
    )

    @field_validator("environment")
    @classmethod
    def _free_names(cls, environment: dict[str, str]) -> dict[str, str]:
        for name in environment:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise PlacedValueError("is no name of a variable: letters, digits and _", (name,))
            if name in ("TF_CONFIG", "JOB_COMPLETION_INDEX") or name.startswith("STF_"):
                raise PlacedValueError("is set by the launcher", (name,))
        return environment

    @field_validator("volumes")
    @classmethod
    def _apart(cls, volumes: tuple[Volume, ...]) -> tuple[Volume, ...]:
        mounts = [volume.mount for volume in volumes]
        for place, mount in enumerate(mounts):
            if mount in mounts[:place]:
                raise PlacedValueError("is where an earlier volume is already", (place, "mount"))
        return volumes
