"""The section kubeflow of the settings: how a pipeline runs on Kubeflow Pipelines."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.kubernetes_pods import DnsName, Resources, Toleration, Volume
from configs.section import Section
from configs.webhook import WebhookUrl
from schemas.errors import PlacedValueError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ROOT = re.compile(r"(s3|gs)://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[A-Za-z0-9._=+@/-]*)?")
WEBHOOK_VARIABLE = "SCALABLE_TF_WEBHOOK"
"""Of the task end: the address of the webhook, from its Secret."""
DRY_RUN_VARIABLE = "SCALABLE_TF_DRY_RUN"
"""Of all tasks of a dry run, beside which runs on a cluster may be going on."""
BEGIN, END = "begin", "end"
"""The tasks beside those of the nodes."""


class SecretKey(Section):
    """One value in a Kubernetes Secret."""

    secret: DnsName = Field(description="Name of the Secret, in the namespace of the runs.")
    key: str = Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$", description="Which of its keys.")


class Retries(Section):
    """How often a failed task is started again, and when; one that lost its machine is failed, too."""

    count: int = Field(1, ge=0, le=100)
    seconds: int = Field(30, ge=0, description="Before the first retry.")
    factor: float = Field(2.0, ge=1.0, description="By which each further wait is longer.")
    max_seconds: int = Field(600, ge=0, le=3600, description="Longest wait; Kubeflow knows none above an hour.")


class KubeflowTask(Section):
    """What one task gets; what a node's leaves out is taken from kubeflow.defaults."""

    resources: Resources | None = Field(None, description="Requested and limited alike; default: the namespace's.")
    node_selector: dict[str, str] | None = Field(None, description="Labels that a node must have.")
    tolerations: tuple[Toleration, ...] | None = None
    retries: Retries | None = Field(None, description="Default: one, after half a minute.")
    timeout_seconds: int | None = Field(
        None, ge=1, description="After which the task is ended and has failed; default: never."
    )
    environment: dict[str, str] = Field({}, description="Variables, besides those of the defaults; not for secrets.")


class Kubeflow(Section):
    """How a pipeline runs on Kubeflow Pipelines; docs/kubeflow.md."""

    host: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="URL of the API server, which schedules ask whether runs there still go on, and the task end "
        "whether somebody terminated its run; who they are is in the environment, as for scalable-tf kubeflow.",
    )
    image: str | None = Field(
        None, min_length=1, description="With this project, the user's code and its packages; NAME@sha256:DIGEST."
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="Default: Kubernetes' own."
    )
    image_pull_secrets: tuple[DnsName, ...] = Field((), description="Secrets with the registry's credentials.")
    service_account: DnsName | None = Field(
        None, description="Of the tasks, given when a run is submitted; default: Kubeflow's own."
    )
    user: int | None = Field(
        None, ge=1, description="User id of the tasks, which newer releases of Kubeflow set; default: the image's."
    )
    volumes: tuple[Volume, ...] = Field((), description="Claims, mounted in every task; one of them holds output_dir.")
    root: str | None = Field(
        None,
        description="Instead of a volume: s3://BUCKET/FOLDER or gs://BUCKET/FOLDER, where the files below output_dir "
        "are kept; output_dir is then an empty folder of each task.",
    )
    environment_secrets: dict[str, SecretKey] = Field(
        {}, description="Variables whose values are in Secrets, such as the password that metadata.url names."
    )
    gpu_resource: str = Field("nvidia.com/gpu", description="What the cluster calls a GPU.")
    defaults: KubeflowTask = Field(KubeflowTask(), description="What every task gets.")
    nodes: dict[str, KubeflowTask] = Field(
        {}, description="What single tasks get instead, by their nodes' names; begin and end are tasks, too."
    )
    webhook: WebhookUrl | None = Field(
        None, description="Address that a run's outcome is posted to as JSON; all behind its host is secret: a ${NAME}."
    )
    webhook_secret: SecretKey | None = Field(
        None, description="Or: the Secret that holds the whole address, for services whose addresses are secret."
    )

    @field_validator("volumes")
    @classmethod
    def _claims(cls, volumes: tuple[Volume, ...]) -> tuple[Volume, ...]:
        for place, volume in enumerate(volumes):
            for name in ("host_path", "sub_path"):
                if getattr(volume, name) is not None:
                    raise PlacedValueError("must be left out: Kubeflow mounts whole claims", (place, name))
            if volume.read_only:
                raise PlacedValueError("must be left out: Kubeflow mounts claims to be written", (place, "read_only"))
            for name in ("mount", "claim"):
                if getattr(volume, name) in [getattr(earlier, name) for earlier in volumes[:place]]:
                    raise PlacedValueError("is that of an earlier volume already", (place, name))
        return volumes

    @field_validator("root")
    @classmethod
    def _an_address(cls, root: str | None) -> str | None:
        if root is None:
            return None
        address = root.rstrip("/")
        if not _ROOT.fullmatch(address) or any(part in ("", ".", "..") for part in address.split("/")[2:]):
            raise ValueError("must be s3://BUCKET/FOLDER or gs://BUCKET/FOLDER")
        return address

    @model_validator(mode="after")
    def _one_webhook(self) -> Kubeflow:
        if self.webhook is not None and self.webhook_secret is not None:
            raise PlacedValueError("cannot go with webhook: give one of them", ("webhook_secret",))
        return self

    @model_validator(mode="after")
    def _without_timeouts(self) -> Kubeflow:
        for name in (BEGIN, END):
            if name in self.nodes and self.nodes[name].timeout_seconds is not None:
                raise PlacedValueError("is for nodes: this task has none", ("nodes", name, "timeout_seconds"))
        return self

    @model_validator(mode="after")
    def _variables(self) -> Kubeflow:
        for name in self.environment_secrets:
            _check_variable(name, ("environment_secrets", name))
        tasks: dict[tuple[str, ...], KubeflowTask] = {("defaults",): self.defaults}
        tasks |= {("nodes", name): task for name, task in self.nodes.items()}
        for place, task in tasks.items():
            for name in task.environment:
                _check_variable(name, (*place, "environment", name))
                if name in self.environment_secrets:
                    raise PlacedValueError("is in kubeflow.environment_secrets already", (*place, "environment", name))
        return self

    def task(self, name: str) -> KubeflowTask:
        """What a task gets: its own, and else the default; variables are put together.

        Args:
            name: of a node, or begin or end.
        """
        own = self.nodes.get(name, KubeflowTask())
        given: dict[str, Any] = {
            field: getattr(self.defaults if getattr(own, field) is None else own, field)
            for field in KubeflowTask.model_fields
        }
        given["environment"] = {**self.defaults.environment, **own.environment}
        return KubeflowTask(**given)


def _check_variable(name: str, place: tuple[str, ...]) -> None:
    if not _VARIABLE.fullmatch(name):
        raise PlacedValueError("is no name of a variable: letters, digits and _", place)
    if name in ("TF_CONFIG", WEBHOOK_VARIABLE, DRY_RUN_VARIABLE):
        raise PlacedValueError("is set by the tasks themselves", place)
