"""Values that could only fail later are refused when settings are loaded, and those at the edge are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from tests.unit.configs.conftest import SMALL
from tests.unit.configs.settings_error import error

Write = Callable[..., Path]


def test_a_slice_that_is_not_a_column(write: Write) -> None:
    found = error(write(), "evaluation.slices=[[company], [compani]]")
    assert (found.what, found.fix) == (
        "evaluation.slices[1]: 'compani' is not a raw column that the features or the label read.",
        "Did you mean 'company'?",
    )


def test_an_evaluation_without_a_threshold_is_refused(write: Write) -> None:
    found = error(write(base=SMALL.partition("  thresholds")[0] + "  slices: []\n"))
    assert found.what.startswith("evaluation has no threshold, so the evaluator could neither bless nor refuse a model")
    assert found.where == "a.yaml, line 10, column 3 (evaluation)"


SPLITS = "data.splits={train: 2, eval: 1, "


@pytest.mark.parametrize(
    ("override", "what"),
    [
        (
            "data={path: s3://bucket/a, prepare: models.run_fn.run_fn}",
            "data.prepare reads files of this machine",
        ),
        ("data={source: tfrecord, delimiter: ;}", "data.delimiter is for CSV; tfrecord has no cells to part"),
        ("data.delimiter=''", "data.delimiter must be one ASCII character"),
        ("data.delimiter=ab", "data.delimiter must be one ASCII character"),
        ("data.delimiter=é", "data.delimiter must be one ASCII character"),
        ("data.delimiter='\"'", "data.delimiter must be one ASCII character"),
        ('data.delimiter="\\n"', "data.delimiter must be one ASCII character"),
        ('data.delimiter="\\r"', "data.delimiter must be one ASCII character"),
        ('data.delimiter="\\0"', "data.delimiter must be one ASCII character"),
        ('data.path="a\\0.csv"', "data.path must not hold the character NUL."),
        (SPLITS + "a/b: 1}", "data.splits: 'a/b' cannot name a split"),
        (SPLITS + "'': 1}", "data.splits: '' cannot name a split"),
        (SPLITS + "-a: 1}", "data.splits: '-a' cannot name a split"),
        (SPLITS + '"a\\n": 1}', r"data.splits: 'a\n' cannot name a split"),
        (SPLITS + "test: 9998}", "data.splits must have at most 10000 hash buckets together"),
        ("model.hidden_units=[8, 0]", "model.hidden_units[1] must be greater than or equal to 1."),
        ('model.run_fn="a.b\\n"', "model.run_fn must be a dotted path"),
        ("training.steps=2147483648", "training.steps must be less than 2147483648."),
        ("training.batch_size=9223372036854775808", "training.batch_size does not fit into 64 bits."),
        ("push.keep=-9223372036854775809", "push.keep does not fit into 64 bits."),
        ("evaluation.confusion_thresholds=[0.5, 1.5]", "evaluation.confusion_thresholds[1] must be less than or equal"),
        ("evaluation.thresholds.auc.lower=60", "evaluation.thresholds.auc.lower must be within 0 and 1"),
        ("evaluation.thresholds.accuracy.upper=-0.1", "evaluation.thresholds.accuracy.upper must be within 0 and 1"),
        ("evaluation.thresholds.accuracy={lower: 1.1}", "evaluation.thresholds.accuracy.lower must be within 0 and 1"),
        ("evaluation.thresholds.precision={lower: 2}", "evaluation.thresholds.precision.lower must be within 0 and 1"),
        ("evaluation.thresholds.recall={upper: 2}", "evaluation.thresholds.recall.upper must be within 0 and 1"),
        ("evaluation.thresholds.loss={upper: -1}", "evaluation.thresholds.loss.upper must not be negative"),
        ("evaluation.slices=[[]]", "evaluation.slices[0] must list one or more different columns."),
        ("evaluation.slices=[[company, company]]", "evaluation.slices[0] must list one or more different columns."),
        ("evaluation.slices=[[company], [company]]", "evaluation.slices[1] is the same combination as an earlier one."),
        ("example_weight=company", "example_weight must be a column of numbers"),
        ("training.loss=absolute", "training.loss must be left out for a binary label"),
        (f"push.model={'a' * 129}", "push.model must have at most 128 characters."),
    ],
)
def test_what_could_only_fail_later_is_refused_now(write: Write, override: str, what: str) -> None:
    found = error(write(), override)
    assert found.what.startswith(what)
    assert found.where == f"--set {override}"


@pytest.mark.parametrize(
    "override",
    [
        'data.delimiter="\\t"',
        "data.delimiter=;",
        "data.delimiter=' '",
        SPLITS + "9_b-C: 9997}",
        "model.hidden_units=[]",
        "evaluation.confusion_thresholds=[0, 1]",
        "evaluation.thresholds.auc={lower: 0, upper: 1}",
        "evaluation.thresholds.loss={upper: 30}",
        "evaluation.slices=[[company], [company, fare]]",
        "example_weight=fare",
        "engine.inline_max_bytes=9223372036854775807",
    ],
)
def test_what_is_at_the_edge_is_allowed(write: Write, override: str) -> None:
    load_settings([write()], [override], {})


def test_a_split_column_is_not_read_otherwise(write: Write) -> None:
    found = str(error(write(), "data.split_column=company"))
    assert found.startswith("data.split_column must not be a column that the features, the label or the weight read")


def test_parameter_servers_read_transformed_examples(write: Write) -> None:
    found = str(error(write(), "training.strategy=parameter_server", "transform.materialize=false"))
    assert found.startswith("transform.materialize must be true for parameter servers")
