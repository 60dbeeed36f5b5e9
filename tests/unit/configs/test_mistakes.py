"""Mistakes in settings: each is shown at its line, with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from schemas.errors import SettingsError
from tests.unit.configs.conftest import SMALL
from tests.unit.configs.settings_error import error, errors

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("more", "what", "where", "fix"),
    [
        ("trainig: {}", "Unknown key 'trainig'.", "line 12, column 1 (trainig)", "Did you mean 'training'?"),
        (
            "training:\n  epoch: 3",
            "Unknown key 'epoch' in training.",
            "line 13, column 3 (training.epoch)",
            "Did you mean 'epochs'?",
        ),
        (
            "training: {optimizer: {lerning_rate: 1}}",
            "Unknown key 'lerning_rate' in training.optimizer.",
            "line 12, column 24 (training.optimizer.lerning_rate)",
            "Did you mean 'learning_rate'?",
        ),
        (
            "epochs: 3",
            "Unknown key 'epochs'.",
            "line 12, column 1 (epochs)",
            "'epochs' is a key of training: move it there.",
        ),
        (
            "curated_schema: {}",
            "Unknown key 'curated_schema'.",
            "line 12, column 1 (curated_schema)",
            "Did you mean 'schema'?",
        ),
        ("? ''\n: 3", "Unknown key ''.", "line 12, column 3", "Known keys here: name"),
        (
            "training: {precision: mixed_float61}",
            "training.precision must be one of float32, mixed_bfloat16, mixed_float16.",
            "line 12, column 23 (training.precision)",
            "Did you mean 'mixed_float16'?",
        ),
        (
            "training: {epochs: 0}",
            "training.epochs must be greater than or equal to 1.",
            "line 12, column 20 (training.epochs)",
            "",
        ),
        (
            "training: {epochs: ten}",
            "training.epochs must be a whole number.",
            "line 12, column 20 (training.epochs)",
            "",
        ),
        (
            "training: {epochs: 1.5}",
            "training.epochs must be a whole number.",
            "line 12, column 20 (training.epochs)",
            "",
        ),
        (
            "training: {epochs: true}",
            "training.epochs must be a number.",
            "line 12, column 20 (training.epochs)",
            "Write a",
        ),
        ("training: {xla: maybe}", "training.xla must be true or false.", "line 12, column 17 (training.xla)", ""),
        ("training: 3", "training must be a mapping (key: value lines).", "line 12, column 11 (training)", ""),
        ("training: {seed: .nan}", "training.seed must be a finite number.", "line 12, column 18 (training.seed)", ""),
        (
            "model: {l2: .inf}",
            "model.l2 must be a finite number.",
            "line 12, column 13 (model.l2)",
            "",
        ),
        ("push: {model: 3}", "push.model must be text.", "line 12, column 15 (push.model)", 'Put it in quotes: "3".'),
        (
            "model: {run_fn: f}",
            "model.run_fn must be a dotted path to a function",
            "line 12, column 17 (model.run_fn)",
            "",
        ),
        (
            "model: {hidden_units: 3}",
            "model.hidden_units must be a list.",
            "line 12, column 23 (model.hidden_units)",
            "Put it in brackets: [3].",
        ),
        (
            "model: {hidden_units: [3, x]}",
            "model.hidden_units[1] must be a whole number.",
            "line 12, column 27 (model.hidden_units[1])",
            "",
        ),
        ("name: other", "The key 'name' is written twice, in lines 1 and 12.", "line 12, column 1 (name)", "Keep one"),
        (
            "training: {seed: 010}",
            "010 means 8 to some readers of YAML and 10 to others.",
            "line 12, column 18",
            "Write 10",
        ),
        (
            "training: {seed: !x 1}",
            "The tag !x is not known here.",
            "line 12, column 18 (training.seed)",
            "Remove the tag.",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_line_with_its_remedy(
    write: Write, more: str, what: str, where: str, fix: str
) -> None:
    found = error(write(more))
    assert found.what.startswith(what)
    assert found.where.startswith(f"a.yaml, {where}")
    assert found.fix.startswith(fix)


@pytest.mark.parametrize(
    ("feature", "what", "where", "fix"),
    [
        (
            "{kind: numerc}",
            "features.x.kind is not a known kind.",
            "--set features.x={kind: numerc}",
            "Did you mean 'numeric'? Kinds: bucketized, categorical,",
        ),
        ("{kind: 3}", "features.x.kind is not a known kind.", "--set features.x={kind: 3}", "Kinds: "),
        ("{kid: numeric}", "features.x.kind is missing.", "", "Did you mean 'kind' instead of 'kid'? Kinds: "),
        ("{}", "features.x.kind is missing.", "", "Kinds: "),
        ("3", "features.x must be a mapping (key: value lines).", "", ""),
        (
            "{kind: numeric, buckets: 3}",
            "Unknown key 'buckets' in features.x, which is of kind 'numeric'.",
            "",
            "'buckets' is a key of the kinds bucketized, cross, hashed: change the kind, or remove the key.",
        ),
        (
            "{kind: categorical, topk: 3}",
            "Unknown key 'topk' in features.x, which is of kind 'categorical'.",
            "",
            "Did you mean 'top_k'? Known keys here: column, kind, dtype, top_k, min_frequency, oov_buckets.",
        ),
        ("{kind: bucketized}", "features.x: give either buckets (quantiles) or boundaries.", "", ""),
        ("{kind: hashed}", "features.x.buckets is missing.", "", ""),
        (
            "{kind: cross, of: [compani, fare], buckets: 9}",
            "features.x.of crosses 'compani', which is not a feature.",
            "",
            "Did you mean 'company'?",
        ),
        ("{kind: cross, of: [company, fare], buckets: 9}", "features.x.of crosses 'fare' of kind 'numeric'", "", ""),
        (
            "{kind: hashed, column: fare, buckets: 9}",
            "features.x: column 'fare' is read as float by 'fare'",
            "",
            "",
        ),
        ("{kind: text, weights: 1}", "features.x.weights must be one of none, tf_idf.", "", ""),
        ("{kind: text, ngrams: [1, 2, 3]}", "features.x.ngrams must have at most 2 items", "", ""),
    ],
)
def test_mistakes_of_a_feature(write: Write, feature: str, what: str, where: str, fix: str) -> None:
    found = error(write(), f"features.x={feature}")
    assert found.what.startswith(what)
    assert found.where == (where or f"--set features.x={feature}")
    assert found.fix.startswith(fix)


def test_a_feature_of_another_kind_is_shown_at_its_line(write: Write) -> None:
    found = error(write(base=SMALL.replace("{kind: categorical}", "{kind: categorcal}")))
    assert found.where == "a.yaml, line 7, column 19 (features.company.kind)"
    assert found.received == "'categorcal'"


@pytest.mark.parametrize(
    ("label", "what"),
    [
        ("{kind: binary}", "label.expression is missing."),
        ("{kind: binary, expression: 'tips >'}", "label.expression: The label expression is not usable"),
        ("{kind: binary, expression: fare > 3}", "features.fare reads the label's column 'fare'"),
        ("{kind: one_hot, column: x, classes: [a, a]}", "label: classes must be distinct."),
        ("{kind: numeric, column: fare}", "features.fare reads the label's column 'fare'"),
        ("{kind: one_hot, column: x, classes: [a, 2]}", "label.classes[1] must be text."),
    ],
)
def test_mistakes_of_the_label(write: Write, label: str, what: str) -> None:
    base = SMALL.replace("{kind: binary, expression: tips > 0.2 * fare}", label)
    assert error(write(base=base)).what.startswith(what)


def test_a_metric_that_does_not_exist(write: Write) -> None:
    found = error(write(), "evaluation.thresholds.acuracy={lower: 0.5}")
    assert found.what == "Unknown key 'acuracy' in evaluation.thresholds."
    assert found.fix.startswith("Did you mean 'accuracy'?")


def test_missing_keys_are_listed(write: Write) -> None:
    found = errors(write(base="name: a\n"))
    assert found[0] == "There are 5 mistakes in the settings."
    assert [text.splitlines()[0] for text in found[1:]] == [
        "output_dir is missing.",
        "data is missing.",
        "features is missing.",
        "label is missing.",
        "evaluation is missing.",
    ]


def test_a_mistyped_key_is_not_missing_too(write: Write) -> None:
    assert error(write(base=SMALL.replace("label:", "lable:"))).fix.startswith("Did you mean 'label'?")
    assert error(write(base=SMALL.replace("thresholds:", "treshold:"))).what == "Unknown key 'treshold' in evaluation."


def test_all_mistakes_of_all_files_are_listed_in_their_order(write: Write) -> None:
    base = write("training: {seed: x, epochs: 0}\nname: b\nrunnner: {}\n")
    over = write(name="b.yaml", base="push: {modle: x}\noutput_dir: ${NOT_SET}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings([base, over], ["features.company.kind=x"], {})
    lines = [line for line in str(caught.value).splitlines() if "Where" in line]
    assert lines == [
        "  Where: a.yaml, line 12, column 18 (training.seed)",
        "  Where: a.yaml, line 12, column 29 (training.epochs)",
        "  Where: a.yaml, line 13, column 1 (name)",
        "  Where: a.yaml, line 14, column 1 (runnner)",
        "  Where: b.yaml, line 1, column 8 (push.modle)",
        "  Where: b.yaml, line 2, column 13 (output_dir)",
        "  Where: --set features.company.kind=x",
    ]


def test_the_feature_table_is_checked_though_another_section_is_wrong(write: Write) -> None:
    found = errors(write("training: {epochs: 0}"), "features.x={kind: cross, of: [company, y], buckets: 9}")
    assert found[0] == "There are 2 mistakes in the settings."


def test_many_mistakes_are_cut(write: Write) -> None:
    found = errors(write("features2: {}\n" + "".join(f"key{i}: 1\n" for i in range(30))))
    assert (found[0], found[-1], len(found)) == ("There are 31 mistakes in the settings.", "... and 11 more", 22)


def test_pydantic_is_never_shown(write: Write) -> None:
    text = str(error(write("training: {epochs: 0, seed: x}\nmodel: {dropout: 2}")))
    assert "pydantic" not in text
    assert "Input should" not in text
