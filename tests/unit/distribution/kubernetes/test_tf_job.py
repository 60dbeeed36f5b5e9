from __future__ import annotations

from distribution.kubernetes.tf_job import tf_job
from tests.unit.distribution.kubernetes.workloads import parameter_server


def test_each_role_is_a_replica_spec_under_the_operators_name() -> None:
    made = tf_job(parameter_server())

    assert (made["apiVersion"], made["kind"]) == ("kubeflow.org/v1", "TFJob")
    assert {name: spec["replicas"] for name, spec in made["spec"]["tfReplicaSpecs"].items()} == {
        "Chief": 1,
        "Worker": 2,
        "PS": 1,
        "Evaluator": 1,
    }


def test_the_container_and_its_port_have_the_operators_names() -> None:
    (container,) = tf_job(parameter_server())["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]["containers"]

    assert container["name"] == "tensorflow"
    assert container["ports"] == [{"name": "tfjob-port", "containerPort": 2222}]


def test_the_operator_sets_the_cluster() -> None:
    (container,) = tf_job(parameter_server())["spec"]["tfReplicaSpecs"]["PS"]["template"]["spec"]["containers"]

    assert {variable["name"] for variable in container["env"]} == {"STF_ROLE"}
