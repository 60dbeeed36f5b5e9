"""Evaluator on real SavedModels: metrics, slices, thresholds, baseline, force; one evaluation for several tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx_bsl.coders import batch_util

from components.evaluator.fixed_batches import batches_of_a_fixed_size
from schemas.errors import EvaluationError
from serving.blessing import Blessing, Failure
from tests.unit.components.evaluator.evaluating import Evaluation, evaluate, settings

pytestmark = [
    pytest.mark.slow,  # TFMA on real models
    # Raised by Beam, TFX and TFMA inside.
    pytest.mark.filterwarnings("ignore"),
]

# Of Cash one pair is ranked wrongly; of all four pairs (positive, negative) three are in order: AUC 3/4, Credit 1.
ROWS = [
    {"label": 1.0, "score": 0.9, "payment_type": "Credit", "weight": 1.0},
    {"label": 0.0, "score": 0.6, "payment_type": "Cash", "weight": 1.0},
    {"label": 1.0, "score": 0.4, "payment_type": "Cash", "weight": 3.0},
    {"label": 0.0, "score": 0.1, "payment_type": "Credit", "weight": 1.0},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_examples: Callable[..., Path]) -> Path:
    return write_examples(tmp_path_factory.mktemp("examples"), ROWS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, export: Callable[..., Path]) -> Path:
    return export(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, data: Path, model: Path) -> Evaluation:
    """The first run: no baseline, sliced, a value threshold that holds and a change threshold."""
    evaluation = {
        "thresholds": {"auc": {"lower": 0.7}},
        "change_thresholds": {"loss": {"absolute": 0.0}},
        "slices": [["payment_type"], ["payment_type", "score"]],
        "confusion_thresholds": [0.5],
    }
    return evaluate(tmp_path_factory.mktemp("first"), data, model, settings(evaluation=evaluation))


@pytest.fixture(scope="module")
def refused(
    tmp_path_factory: pytest.TempPathFactory, data: Path, model: Path, export: Callable[..., Path]
) -> Evaluation:
    """Half of what the baseline predicts: the same ranking, and nothing above 0.5."""
    evaluation = {
        "thresholds": {"auc": {"lower": 0.8}, "recall": {"lower": 0.1}},
        "change_thresholds": {"recall": {"absolute": 0.25}, "loss": {"absolute": 0.1}, "auc": {"absolute": 0.0}},
    }
    halved = export(tmp_path_factory.mktemp("halved"), scale=0.5)
    return evaluate(tmp_path_factory.mktemp("refused"), data, halved, settings(evaluation=evaluation), baseline=model)


def test_metrics_of_all_rows(first: Evaluation) -> None:
    overall = first.metrics["Overall"]
    assert overall["auc"] == pytest.approx(0.75)
    assert overall["accuracy"] == pytest.approx(0.5)
    assert overall["example_count"] == 4


def test_the_default_metrics_of_a_yes_no_label(first: Evaluation) -> None:
    expected = {"auc", "auc_precision_recall", "accuracy", "precision", "recall", "loss", "calibration"}
    assert first.metrics["Overall"].keys() == expected | {
        "mean_label",
        "mean_prediction",
        "confusion_matrix",
        "example_count",
    }


def test_metrics_are_sliced_by_raw_columns(first: Evaluation) -> None:
    assert first.metrics["payment_type:Cash"]["auc"] == 0.0
    assert first.metrics["payment_type:Credit"]["auc"] == 1.0


def test_slices_of_several_columns(first: Evaluation) -> None:
    names = [name for name in first.metrics if name.startswith("payment_type:Cash, score:0.")]
    assert len(names) == 2


def test_an_undefined_metric_of_a_slice_is_null(first: Evaluation) -> None:
    (name,) = (name for name in first.metrics if name.startswith("payment_type:Cash, score:0.6"))
    assert first.metrics[name]["auc"] is None


def test_the_result_is_readable_with_tfma(first: Evaluation) -> None:
    result = tfma.load_eval_result(str(first.folder / "evaluation"))
    assert result.get_metrics_for_slice()["auc"]["doubleValue"] == pytest.approx(0.75)


def test_a_first_run_is_blessed_and_says_what_was_not_checked(first: Evaluation) -> None:
    assert first.verdict == Blessing(blessed=True, unchecked=("loss",))
    assert first.flags == ["BLESSED"]


def test_the_blessing_is_found_by_the_search_for_the_latest_blessed_model(first: Evaluation) -> None:
    assert first.blessing.get_int_custom_property("blessed") == 1
    assert first.blessing.get_int_custom_property("current_model_id") == 7
    assert first.blessing.get_string_custom_property("baseline") == "none"
    assert first.blessing.get_string_custom_property("label") == "of tips"


def test_thresholds_hold_for_all_rows_and_not_for_each_slice(first: Evaluation) -> None:
    # The AUC of Cash is 0, below the threshold of 0.7.
    assert first.verdict.failures == ()


def test_thresholds_that_fail_refuse_the_model_with_reasons(refused: Evaluation) -> None:
    loss = refused.metrics["Overall"]["loss"]
    # Of the scores 0.5108: the mean of -ln 0.9, -ln 0.4, -ln 0.4 and -ln 0.9; of half of them of 0.45, 0.7, 0.2, 0.95.
    assert loss == pytest.approx(0.7040, abs=1e-4)
    assert not refused.verdict.blessed
    assert refused.verdict.failures == (
        Failure(slice="Overall", metric="auc", value=0.75, bound="must be at least 0.8"),
        Failure(
            slice="Overall",
            metric="loss",
            value=loss,
            bound="+0.1932 from the baseline; may be worse by at most 0.1",
        ),
        Failure(
            slice="Overall", metric="recall", value=0.0, bound="-0.5 from the baseline; may be worse by at most 0.25"
        ),
        Failure(slice="Overall", metric="recall", value=0.0, bound="must be at least 0.1"),
    )
    assert refused.flags == ["NOT_BLESSED"]


def test_the_baseline_is_named(refused: Evaluation, model: Path) -> None:
    assert refused.verdict.baseline == str(model)
    assert refused.blessing.get_string_custom_property("baseline") == str(model)


def test_metrics_are_the_candidates_and_not_the_baselines(refused: Evaluation) -> None:
    assert refused.metrics["Overall"]["mean_prediction"] == pytest.approx(0.25)


@pytest.fixture(scope="module")
def forced(tmp_path_factory: pytest.TempPathFactory, data: Path, model: Path) -> Evaluation:
    """Weighted rows, a threshold that fails, and a reason for blessing the model all the same."""
    chosen = settings(example_weight="weight", evaluation={"thresholds": {"auc": {"lower": 0.8}}})
    return evaluate(tmp_path_factory.mktemp("forced"), data, model, chosen, force="the old model is broken")


def test_a_forced_blessing_says_so_and_keeps_the_failures(forced: Evaluation) -> None:
    assert forced.verdict.blessed
    assert forced.verdict.forced == "the old model is broken"
    assert [failure.metric for failure in forced.verdict.failures] == ["auc"]


def test_a_forced_blessing_is_one_for_those_who_look_for_it(forced: Evaluation) -> None:
    assert forced.flags == ["BLESSED"]
    assert forced.blessing.get_int_custom_property("blessed") == 1
    assert forced.blessing.get_string_custom_property("forced") == "the old model is broken"


def test_example_weights_weigh_the_metrics_but_not_the_count(forced: Evaluation) -> None:
    # Positives weigh 1 + 3, negatives 1 + 1.
    assert forced.metrics["Overall"]["mean_label"] == pytest.approx(4 / 6)
    assert forced.metrics["Overall"]["example_count"] == 4


@pytest.fixture(scope="module")
def number(tmp_path_factory: pytest.TempPathFactory, model: Path, write_examples: Callable[..., Path]) -> Evaluation:
    """A predicted number, in a first run with nothing but change thresholds."""
    folder = tmp_path_factory.mktemp("number")
    examples = write_examples(folder / "examples", [{"label": 2.0, "score": 1.0}, {"label": 4.0, "score": 6.0}])
    chosen = settings(
        label={"kind": "numeric", "column": "fare"},
        evaluation={"change_thresholds": {"mean_squared_error": {"relative": 0.1}}},
    )
    return evaluate(folder, examples, model, chosen)


def test_numbers(number: Evaluation) -> None:
    assert number.metrics["Overall"]["mean_squared_error"] == 2.5


def test_a_first_run_with_change_thresholds_only_is_blessed(number: Evaluation) -> None:
    assert number.verdict == Blessing(blessed=True, unchecked=("mean_squared_error",))
    assert number.flags == ["BLESSED"]
    assert number.blessing.get_int_custom_property("blessed") == 1
    assert number.blessing.get_int_custom_property("current_model_id") == 7


def test_classes(tmp_path: Path, export: Callable[..., Path], write_examples: Callable[..., Path]) -> None:
    rows = [
        {"label": 0.0, "a": 0.7, "b": 0.2, "c": 0.1},
        {"label": 1.0, "a": 0.1, "b": 0.6, "c": 0.3},
        {"label": 1.0, "a": 0.5, "b": 0.3, "c": 0.2},
        {"label": 2.0, "a": 0.2, "b": 0.7, "c": 0.1},
    ]
    examples = write_examples(tmp_path / "examples", rows)
    exported = export(tmp_path / "model", columns=("a", "b", "c"), label_type=tf.int64)
    chosen = settings(
        label={"kind": "one_hot", "column": "species", "classes": ["x", "y", "z"]},
        evaluation={"thresholds": {"accuracy": {"lower": 0.4}}},
    )
    found = evaluate(tmp_path, examples, exported, chosen)
    assert found.metrics["Overall"]["accuracy"] == 0.5
    assert found.metrics["Overall"]["confusion_matrix"] == [[1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert found.verdict.blessed


def test_no_rows_is_an_error(tmp_path: Path, model: Path, write_examples: Callable[..., Path]) -> None:
    with pytest.raises(EvaluationError, match="no row to evaluate"):
        evaluate(tmp_path, write_examples(tmp_path / "examples", []), model, settings())


def test_a_model_without_the_label_is_refused(tmp_path: Path, data: Path) -> None:
    module = tf.Module()
    module.serve = tf.function(lambda examples: {"predictions": tf.zeros([1])}, [tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path / "model/Format-Serving"), signatures={"serving_default": module.serve})
    with pytest.raises(EvaluationError, match=r"(?s)lacks the signature 'transform_features'.*serving_default"):
        evaluate(tmp_path, data, tmp_path / "model", settings())


def test_a_baseline_that_is_gone_is_named(tmp_path: Path, data: Path, model: Path) -> None:
    with pytest.raises(EvaluationError, match=r"(?s)cannot be read.*baseline_model: .*gone"):
        evaluate(tmp_path, data, model, settings(), baseline=tmp_path / "gone")


def test_a_class_that_the_model_does_not_know_is_named(
    tmp_path: Path, export: Callable[..., Path], write_examples: Callable[..., Path]
) -> None:
    examples = write_examples(tmp_path / "examples", [{"label": 4.0, "a": 0.7, "b": 0.3}])
    exported = export(tmp_path / "model", columns=("a", "b"), label_type=tf.int64)
    chosen = settings(
        label={"kind": "integer", "column": "species", "classes": 2},
        evaluation={"thresholds": {"accuracy": {"lower": 0.4}}},
    )
    with pytest.raises(EvaluationError, match=r"class 4; the model predicts the classes 0 to 1"):
        evaluate(tmp_path, examples, exported, chosen)


def test_batches_do_not_depend_on_the_speed_of_the_machine() -> None:
    with batches_of_a_fixed_size():
        arguments = batch_util.GetBatchElementsKwargs(None)
    assert arguments["min_batch_size"] == arguments["max_batch_size"]


def test_how_others_batch_is_left_alone() -> None:
    def sizes() -> dict[str, object]:
        # Where batches go by size there is also a function, a new one at each call.
        return {key: value for key, value in batch_util.GetBatchElementsKwargs(None).items() if not callable(value)}

    before = sizes()
    with batches_of_a_fixed_size():
        pass
    assert sizes() == before
