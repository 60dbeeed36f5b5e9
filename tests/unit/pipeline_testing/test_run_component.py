"""Components of every make, through TFX's launcher."""

# No `from __future__ import annotations`: TFX reads the annotations of function components as objects.

from pathlib import Path
from typing import TypedDict

import pytest
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model

from components.anomaly_gate.component import AnomalyGate
from components.example_validator.component import ExampleValidator
from configs.settings import Validation
from pipeline_testing import read
from pipeline_testing.run_component import RunComponent
from schemas.errors import AnomalyError, RunError

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by TFX inside

SCHEMA = 'feature { name: "fare" type: FLOAT presence { min_fraction: 1.0 } }'


class Counted(TypedDict):
    rows: int


@component
def Count(examples: InputArtifact[Examples], model: OutputArtifact[Model], factor: Parameter[int] = 1) -> Counted:
    """A component as a user writes one."""
    Path(model.uri, "note.txt").write_text("trained")
    model.set_string_custom_property("note", "by hand")
    return {"rows": factor * len(read.examples(examples))}


@component
def Weigh(count: int, model: InputArtifact[Model]) -> Counted:
    """Takes a value and another component's artifact with its properties."""
    return {"rows": count * len(model.get_string_custom_property("note"))}


def test_a_function_component(run_component: RunComponent) -> None:
    outputs = run_component(Count, examples=[{"fare": 1.0}, {"fare": 2.0}], factor=10)
    assert read.value(outputs["rows"]) == 20
    assert Path(outputs["model"].uri, "note.txt").read_text() == "trained"


def test_outputs_are_the_next_components_inputs(run_component: RunComponent) -> None:
    counted = run_component(Count, examples=[{"fare": 1.0}])
    assert read.value(run_component(Weigh, count=3, model=counted["model"])["rows"]) == 3 * len("by hand")


def test_components_of_this_package_and_their_errors(run_component: RunComponent) -> None:
    rows = [{"fare": 1.0}, {"fare": None}]
    inputs = {"statistics": rows, "schema": SCHEMA}
    anomalies = run_component(ExampleValidator, **inputs)["anomalies"]
    assert read.anomalies(anomalies) == {"fare": ["FEATURE_TYPE_LOW_FRACTION_PRESENT"]}
    with pytest.raises(AnomalyError, match="1 of 2 rows"):
        run_component(AnomalyGate, examples=rows, **inputs, anomalies=anomalies, validation=Validation())


def test_an_output_that_is_not_there_is_named(run_component: RunComponent) -> None:
    outputs = run_component(Count, examples=[{"fare": 1.0}])
    with pytest.raises(RunError, match=r"(?s)no such output.*node Count.*Received: modle.*Outputs: "):
        outputs["modle"]


def test_an_input_that_cannot_be_made_names_the_component(run_component: RunComponent) -> None:
    with pytest.raises(RunError, match=r"(?s)Weigh, input 'model'.*Fix: Give the path of a SavedModel"):
        run_component(Weigh, count=3, model="nowhere")


@pytest.mark.slow  # TensorFlow saves
def test_a_saved_model_is_given_by_its_path(run_component: RunComponent, tmp_path: Path) -> None:
    module = tf.Module()
    module.serve = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.serve})
    outputs = run_component(Double, model=tmp_path)
    assert read.value(outputs["rows"]) == 6


@component
def Double(model: InputArtifact[Model]) -> Counted:
    """Asks the model."""
    return {"rows": int(read.saved_model(model).signatures["serving_default"](x=tf.constant([3.0]))["y"].numpy()[0])}
