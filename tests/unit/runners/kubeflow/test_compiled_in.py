from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from configs.load import load_settings
from runners.compiled import compile_pipeline
from runners.kubeflow.compiled_in import check_compiled, compiled_in, compiled_text, graph
from runners.kubeflow.given_settings import check_given
from runners.kubeflow.kfp_pipeline import kfp_documents
from runners.kubeflow.run_parameters import settings_text
from runners.kubeflow.specification import Specification, read_specification
from schemas.errors import SettingsError
from tests.unit.runners.kubeflow.clusters import IMAGE, on_kfp

GRAPH = {"ExampleGen": [], "Trainer": ["ExampleGen"]}
COMPILED = compiled_text(on_kfp("taxi"), GRAPH)


def test_what_is_compiled_in() -> None:
    settings = on_kfp("taxi", "kubeflow.nodes={Trainer: {resources: {gpus: 1}, timeout_seconds: 60}}")
    assert compiled_in(settings, GRAPH) == {
        "name": "taxi",
        "kubeflow.image": IMAGE,
        "kubeflow.volumes": [{"mount": "/mnt/stf", "claim": "stf"}],
        "kubeflow.environment_secrets.DB_PASSWORD.secret": "mlmd",
        "kubeflow.environment_secrets.DB_PASSWORD.key": "password",
        "kubeflow.nodes.Trainer.resources.gpus": 1,
        "the graph: ExampleGen": [],
        "the graph: Trainer": ["ExampleGen"],
    }


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("kubeflow.image=other:1", f'kubeflow.image: compiled "{IMAGE}", given "other:1"'),
        ("kubeflow.nodes={Trainer: {resources: {gpus: 2}}}", "Trainer.resources.gpus: compiled without it, given 2"),
        ("kubeflow.volumes=[{mount: /mnt/stf, claim: other}]", "kubeflow.volumes: compiled"),
        ("kubeflow.defaults.environment={A: b}", "kubeflow.defaults.environment.A: compiled without it"),
        ("kubeflow.defaults.retries.count=5", "kubeflow.defaults.retries.count: compiled without it, given 5"),
        ("kubeflow.user=1000", "kubeflow.user: compiled without it, given 1000"),
        ("name=other", 'name: compiled "taxi", given "other"'),
    ],
)
def test_what_shapes_a_task_cannot_be_given_anew(override: str, said: str) -> None:
    with pytest.raises(SettingsError, match="other tasks than those that were compiled") as raised:
        check_compiled(on_kfp("taxi", override), GRAPH, COMPILED)
    assert said in str(raised.value)


def test_the_graph_cannot_either() -> None:
    with pytest.raises(SettingsError) as raised:
        check_compiled(on_kfp("taxi"), {**GRAPH, "BaseModel": ["ExampleGen"]}, COMPILED)
    assert 'the graph: BaseModel: compiled without it, given ["ExampleGen"]' in str(raised.value)


@pytest.mark.parametrize(
    "override",
    [
        *("training.steps=5", "output_dir=/mnt/stf/elsewhere", "kubeflow.service_account=other", "data.span=3"),
        *("kubeflow.nodes={Trainer: {timeout_seconds: 5}}", "kubeflow.webhook=https://host", "push.keep=3"),
    ],
)
def test_the_rest_can(override: str) -> None:
    check_compiled(on_kfp("taxi", override), GRAPH, COMPILED)


def test_of_packages_of_older_versions_nothing_is_known() -> None:
    check_compiled(on_kfp("taxi", "kubeflow.image=other:1"), GRAPH, "")


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> Specification:
    file = tmp_path_factory.mktemp("compiled") / "minimal.yaml"
    settings = on_kfp("minimal")
    file.write_text(yaml.safe_dump_all(kfp_documents(settings, graph(compile_pipeline(settings)))))
    return read_specification(file)


def given(*overrides: str) -> dict[str, str]:
    return {"settings": settings_text(on_kfp("minimal", *overrides))}


def test_submit_takes_what_the_task_takes(specification: Specification) -> None:
    check_given(specification, {})
    check_given(specification, {"steps": 5})
    check_given(specification, given("training.steps=5"))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (given("kubeflow.image=other:1"), "kubeflow.image: compiled"),
        (given("training.warm_start=true", "data.path=/mnt/stf/{SPAN}.csv"), "the graph: BaseModel: compiled without"),
        ({"window": 3}, "was compiled without a window"),
        ({"settings": "{}"}, "The settings are wrong"),
    ],
)
def test_submit_refuses_what_the_task_would(
    parameters: dict[str, str], said: str, specification: Specification
) -> None:
    with pytest.raises(SettingsError) as raised:
        check_given(specification, parameters)
    assert said in str(raised.value)


def test_what_their_image_alone_has_is_left_to_the_task(specification: Specification) -> None:
    check_given(specification, given("model.run_fn=only_in_the_image.run_fn"))


def test_a_pipeline_of_somebody_else_is_let_be() -> None:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    spec = json_format.ParseDict({"deploymentSpec": {"executors": {}}}, pipeline_spec_pb2.PipelineSpec())
    check_given(Specification(Path("p.yaml"), b"", spec, {}), {"settings": json.dumps({"any": 1})})


def test_with_a_root_the_pods_empty_folder_is_compiled_in(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        "name: tiny\noutput_dir: /srv/one\ndata: {path: /data/rows.csv}\nfeatures: {fare: {kind: numeric}}\n"
        "label: {kind: binary, expression: tips > 1}\nevaluation: {thresholds: {auc: {lower: 0.5}}}\n"
    )
    rooted = load_settings([file], ["kubeflow.root=s3://bucket/tiny"], {})
    assert compiled_in(rooted, None)["output_dir"] == "/srv/one"
    assert "output_dir" not in compiled_in(load_settings([file], (), {}), None)
