from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.kubeflow import Kubeflow, Retries
from configs.kubernetes_pods import Resources
from configs.webhook import Webhook


def message(**kubeflow: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        Kubeflow.model_validate(kubeflow)
    return str(raised.value.errors()[0]["msg"])


def test_everything_has_a_default() -> None:
    assert Kubeflow().task("Trainer").retries is None


def test_a_node_gets_its_own_and_else_the_default() -> None:
    kubeflow = Kubeflow.model_validate(
        {
            "defaults": {"resources": {"cpu": "2"}, "timeout_seconds": 60, "environment": {"A": "1", "B": "1"}},
            "nodes": {"Trainer": {"timeout_seconds": 7200, "environment": {"B": "2"}, "retries": {"count": 3}}},
        }
    )
    trainer = kubeflow.task("Trainer")
    assert trainer.resources == Resources(cpu="2")
    assert trainer.timeout_seconds == 7200
    assert trainer.environment == {"A": "1", "B": "2"}
    assert trainer.retries == Retries(count=3)
    assert kubeflow.task("Pusher") == kubeflow.defaults


def test_what_a_node_gets_survives_a_dump_with_every_default() -> None:
    kubeflow = Kubeflow.model_validate({"defaults": {"timeout_seconds": 60}, "nodes": {"Trainer": {}}})
    again = Kubeflow.model_validate(kubeflow.model_dump(mode="json"))
    assert again.task("Trainer").timeout_seconds == 60


@pytest.mark.parametrize(
    ("volumes", "said"),
    [
        ([{"mount": "/a", "host_path": "/b"}], "must be left out: Kubeflow mounts whole claims"),
        ([{"mount": "/a", "claim": "b", "sub_path": "c"}], "must be left out: Kubeflow mounts whole claims"),
        ([{"mount": "/a", "claim": "b", "read_only": True}], "must be left out: Kubeflow mounts claims to be written"),
        ([{"mount": "/a", "claim": "b"}, {"mount": "/a", "claim": "c"}], "is that of an earlier volume already"),
        ([{"mount": "/a", "claim": "b"}, {"mount": "/c", "claim": "b"}], "is that of an earlier volume already"),
    ],
)
def test_volumes_are_claims_that_kubeflow_can_mount(volumes: list[dict[str, Any]], said: str) -> None:
    assert said in message(volumes=volumes)


def test_a_variable_has_one_value() -> None:
    secret = {"PASSWORD": {"secret": "db", "key": "password"}}
    assert "is in kubeflow.environment_secrets already" in message(
        environment_secrets=secret, nodes={"Trainer": {"environment": {"PASSWORD": "x"}}}
    )


@pytest.mark.parametrize("name", ["9", "A-B", "", "TF_CONFIG", "SCALABLE_TF_WEBHOOK"])
def test_variables_that_cannot_be_set(name: str) -> None:
    assert message(defaults={"environment": {name: "x"}})


def test_a_webhook_is_one_address() -> None:
    assert "must be the URL of a webhook" in message(webhook="ftp://host/")
    assert "must be the URL of a webhook" in message(webhook="https://user:password@host/")
    secret = {"secret": "chat", "key": "address"}
    assert "cannot go with webhook" in message(webhook="https://host/", webhook_secret=secret)


def test_all_behind_the_host_of_a_webhook_is_secret_as_of_the_hooks_of_a_schedule() -> None:
    webhook = Kubeflow.model_validate({"webhook": "https://hooks.example/services/xyz"}).webhook
    assert type(webhook) is Webhook
    assert "xyz" not in str(webhook)
    assert webhook.reveal({}) == "https://hooks.example/services/xyz"


@pytest.mark.parametrize("task", ["begin", "end"])
def test_tasks_beside_the_nodes_have_no_time_limit(task: str) -> None:
    assert "this task has none" in message(nodes={task: {"timeout_seconds": 60}})
