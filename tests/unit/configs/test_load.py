from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from configs.load import load_settings
from configs.settings import Settings
from configs.show import show
from configs.training import EarlyStopping, Schedule
from schemas.errors import SettingsError
from schemas.features import Bucketized, Categorical, Numeric, NumericLabel
from tests.unit.configs.conftest import SMALL

Write = Callable[..., Path]


def error(file: Path, *overrides: str, environment: dict[str, str] | None = None) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings([file], overrides, environment or {})
    return caught.value


def errors(file: Path, *overrides: str) -> list[str]:
    return str(error(file, *overrides)).split("\n\n")


def test_a_file_is_loaded(write: Write) -> None:
    settings = load_settings([write()], (), {})
    assert settings.name == "small"
    assert settings.features == {"fare": Numeric(kind="numeric"), "company": Categorical(kind="categorical")}
    assert settings.curated_schema.path is None


# Overlays


def test_overlays_are_laid_from_left_to_right(write: Write) -> None:
    base = write("training: {epochs: 3, optimizer: {name: sgd, momentum: 0.5}}")
    one = write(
        name="one.yaml", base="training: {epochs: 4, optimizer: {momentum: 0.9}}\nevaluation: {slices: [[company]]}"
    )
    two = write(name="two.yaml", base="training: {epochs: 5}")
    settings = load_settings([base, one, two], ["training.epochs=6"], {})
    assert settings.training.epochs == 6
    assert (settings.training.optimizer.name, settings.training.optimizer.momentum) == ("sgd", 0.9)
    assert settings.evaluation.slices == (("company",),)


def test_null_in_an_overlay_takes_an_entry_away(write: Write) -> None:
    base = write("training: {epochs: 3}")
    settings = load_settings([base], ["features.company=null", "training.epochs=null", "evaluation.slices="], {})
    assert list(settings.features) == ["fare"]
    assert settings.training.epochs == 10


def test_null_where_null_is_a_value_is_that_value(write: Write) -> None:
    base = write("training: {early_stopping: {patience: 7}}")
    assert load_settings([base], ["training.early_stopping=null"], {}).training.early_stopping is None
    assert load_settings([write("training: {early_stopping: }")], (), {}).training.early_stopping is None
    assert load_settings([write()], (), {}).training.early_stopping == EarlyStopping()


def test_an_empty_section_is_as_if_not_written(write: Write) -> None:
    assert load_settings([write("push:\ntraining:\n  epochs:\n")], (), {}) == load_settings([write()], (), {})


def test_taking_away_what_is_not_there_is_an_error(write: Write) -> None:
    found = error(write(), "features.compani=null")
    assert (found.what, found.where) == ("features.compani is empty.", "--set features.compani=null")
    assert "Did you mean to take away 'company'?" in found.fix


def test_an_overlay_can_change_the_kind(write: Write) -> None:
    base = write(base=SMALL.replace("{kind: numeric}", "{kind: numeric, log: true}"))
    overlay = write(name="b.yaml", base="features: {fare: {kind: bucketized, buckets: 4}}")
    expected = Bucketized(kind="bucketized", buckets=4)
    assert load_settings([base, overlay], (), {}).features["fare"] == expected
    keys = ["features.fare.kind=bucketized", "features.fare.buckets=4"]
    assert load_settings([base], keys, {}).features["fare"] == expected
    nulls = ["features.fare={kind: bucketized, buckets: 4, log: }"]
    assert load_settings([base], nulls, {}).features["fare"] == expected
    label = load_settings([base], ["label={kind: numeric, column: tips}"], {}).label
    assert label == NumericLabel(kind="numeric", column="tips")
    schedule = ["training.optimizer.schedule={kind: cosine, decay_steps: 9}", "training.optimizer.schedule.kind=linear"]
    assert load_settings([base], schedule, {}).training.optimizer.schedule == Schedule(kind="linear")


def test_overrides_are_yaml_and_keys_with_dots_are_quoted(write: Write) -> None:
    overrides = ['features."a.b"={kind: hashed, buckets: 3}', "evaluation.slices=[[company]]", "training.xla=true"]
    settings = load_settings([write()], overrides, {})
    assert settings.features["a.b"].kind == "hashed"
    assert settings.evaluation.slices == (("company",),)
    assert settings.training.xla


def test_no_file_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no settings file"):
        load_settings([])


# The environment


def test_variables_are_replaced_where_the_field_allows(write: Write) -> None:
    file = write(base=SMALL.replace("data.csv", "${ROOT}/$${x}/${NAME:-data}.csv"))
    assert load_settings([file], (), {"ROOT": "/r"}).data.path == "/r/${x}/data.csv"


def test_the_process_environment_is_the_default(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STF_TEST_ROOT", "/r")
    assert load_settings([write()], ["output_dir=${STF_TEST_ROOT}/out"]).output_dir == "/r/out"


def test_a_variable_that_an_overlay_replaces_need_not_be_set(write: Write) -> None:
    file = write(base=SMALL.replace("data.csv", "${NOT_SET}"))
    assert load_settings([file], ["data.path=x.csv"], {}).data.path == "x.csv"


def test_a_variable_that_is_not_set_is_named_with_its_line(write: Write) -> None:
    found = error(write(base=SMALL.replace("data.csv", "${DATA_DIRR}/a.csv")), environment={"DATA_DIR": "/d"})
    assert found.what == "The environment variable DATA_DIRR is not set."
    assert found.where == "a.yaml, line 4, column 9 (data.path)"
    assert found.fix.startswith("Set it (export DATA_DIRR=...) or give a default (${DATA_DIRR:-...}).")
    assert found.fix.endswith("Did you mean ${DATA_DIR}?")


def test_a_broken_reference(write: Write) -> None:
    found = error(write(), "output_dir=${HOME")
    assert (found.where, found.received) == ("--set output_dir=${HOME", "'${HOME'")
    assert "not followed by the name" in found.what


def test_a_variable_in_another_field_names_the_fields_that_allow_it(write: Write) -> None:
    found = error(write("push: {model: '${MODEL}'}"), environment={"MODEL": "m"})
    assert found.what == "push.model cannot hold an environment variable."
    assert found.where == "a.yaml, line 12, column 15 (push.model)"
    assert found.fix == (
        "Fields that can: output_dir, data.path, data.query.url, data.query.file, schema.path, "
        "validation.serving_path, training.cluster.folder, inference.path, inference.query.url, inference.query.file, "
        "inference.model, schedule.on_failure.webhook, schedule.on_success.webhook, engine.flink.workers.command, "
        "engine.flink.jars, engine.spark.workers.command, engine.spark.jars, engine.prism.workers.command, "
        "engine.prism.binary, engine.portable.workers.command, kubeflow.webhook, metadata.url."
    )


def test_an_empty_variable_is_not_a_path(write: Write) -> None:
    assert error(write(), "output_dir=${X}", environment={"X": ""}).what.startswith("output_dir must have at least 1")


def test_the_variable_of_a_password_need_not_be_set_to_load(write: Write) -> None:
    settings = load_settings([write()], ["metadata.url=mysql://${USER}:${DB_PW}@host/db"], {"USER": "me"})
    assert settings.metadata.url == "mysql://me:${DB_PW}@host/db"


@pytest.mark.parametrize("field", ["data.path", "schema.path", "output_dir"])
@pytest.mark.parametrize(
    "url", ["s3://key:${TOK}@bucket/a", "s3://key:hunter2@bucket/a", "https://h/a.csv?sig=${TOK}", "${URL}"]
)
def test_a_location_holds_no_password(write: Write, field: str, url: str) -> None:
    found = error(write(), f"{field}={url}", environment={"TOK": "hunter2", "URL": "s3://key:hunter2@bucket"})
    assert found.what.startswith(f"{field} must not hold a password")
    assert "let the cloud client use its own credentials" in found.what
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "path",
    ["s3://bucket/a@b.csv", "hdfs://me@host:8020/a", "hdfs://host:8020/a@b.csv", "a:b@c.csv", "abfss://box@account/a"],
)
def test_a_location_without_a_password_is_kept(write: Write, path: str) -> None:
    assert load_settings([write()], [f"data.path={path}"], {}).data.path == path


# Mistakes


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


def test_classes_that_yaml_1_1_takes_for_truth_are_text(write: Write) -> None:
    base = SMALL.replace(
        "{kind: binary, expression: tips > 0.2 * fare}", "{kind: one_hot, column: x, classes: [yes, no]}"
    )
    assert load_settings([write(base=base)], (), {}).label.classes == ("yes", "no")  # type: ignore[union-attr]


def test_yes_and_no_switch_a_switch(write: Write) -> None:
    assert load_settings([write("training: {xla: yes, cache: off, epochs: 1e1}")], (), {}).training.xla is True


def test_a_metric_that_does_not_exist(write: Write) -> None:
    found = error(write(), "evaluation.thresholds.acuracy={lower: 0.5}")
    assert found.what == "Unknown key 'acuracy' in evaluation.thresholds."
    assert found.fix.startswith("Did you mean 'accuracy'?")


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


@pytest.mark.parametrize(
    "override",
    [
        "metadata.url=[mysql://me:hunter2@host]",
        "metadata.urll=mysql://me:hunter2@host",
        "metadata=mysql://me:hunter2@host",
        "metadata.url={password: hunter2}",
        "metadata.url=[mysql://me:hunter2@host",
        "metadata.url=mysql://me:hunter2@${HOST}",
        "name=mysql://me:hunter2@host",
    ],
)
def test_errors_do_not_show_passwords(write: Write, override: str) -> None:
    file = write()
    section, _, value = override.partition("=")
    keys = section.split(".")
    as_file = write(
        name="b.yaml", base=f"{keys[0]}: {{{keys[1]}: {value}}}\n" if len(keys) > 1 else f"{keys[0]}: {value}\n"
    )
    found = error(file, override)
    with pytest.raises(SettingsError) as caught:
        load_settings([file, as_file], (), {})
    shown = str(found) if "{password" not in override else str(found).replace(override, "")
    assert "hunter2" not in shown + str(caught.value) + repr(caught.value.__cause__)


def test_pydantic_is_never_shown(write: Write) -> None:
    text = str(error(write("training: {epochs: 0, seed: x}\nmodel: {dropout: 2}")))
    assert "pydantic" not in text
    assert "Input should" not in text


# Whatever is written


VALUE = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 3, 0.5, "", "x", "${X}", "kind", "numeric", "fare", "tips > 3", "mysql://a:b@c"]
    ),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["kind", "x", "of", "auc"]), inner, max_size=2),
    max_leaves=4,
)
PLACES = [
    "name", "data", "data.splits", "data.path", "schema", "features", "features.fare", "features.fare.kind",
    "features.x", "features.company.top_k", "label", "label.expression", "label.kind", "training",
    "training.optimizer.schedule", "training.early_stopping",
    "evaluation.thresholds.auc", "evaluation.slices", "metadata.url", "push.keep", "x.y",
]  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUE), min_size=1, max_size=3))
def test_whatever_is_written_is_settings_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "any.yaml").write_text(SMALL)
    overrides = [
        f"{key}={yaml.safe_dump(value, default_flow_style=True).removesuffix('...')}" for key, value in changes
    ]
    settings, found = attempt(folder / "any.yaml", overrides)
    if settings is None:
        assert found
        assert "Input should" not in found
        return
    assert Settings.model_validate(settings.dump()) == settings
    (folder / "shown.yaml").write_text(show(settings))
    again, _ = attempt(folder / "shown.yaml", ())
    assert again == settings or "***" in show(settings)


def attempt(file: Path, overrides: Sequence[str]) -> tuple[Settings | None, str]:
    try:
        return load_settings([file], overrides, {}), ""
    except SettingsError as found:
        return None, str(found)


def test_loading_imports_neither_tensorflow_nor_tfx() -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom configs.load import load_settings\nfrom configs.show import show\n"
        "from configs.fingerprint import settings_fingerprint, code_fingerprint\nfrom configs.paths import resolve\n"
        "settings = load_settings([Path('configs/taxi.yaml')])\n"
        "show(settings), settings_fingerprint(settings), code_fingerprint(['models']), resolve(settings.data.path)\n"
        "heavy = {'tensorflow', 'tfx', 'apache_beam', 'numpy', 'tensorflow_metadata', 'jsonschema'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


# Two towers

TOWERS = ["model.architecture=two_tower", "model.towers={candidate: [company]}"]


def test_two_towers(write: Write) -> None:
    settings = load_settings([write()], TOWERS, {})
    assert settings.model.towers is not None
    assert settings.model.towers.candidate == ("company",)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (TOWERS[:1], "model.towers must name the candidate's features for the architecture two_tower"),
        (TOWERS[1:], "model.towers must name the candidate's features for the architecture two_tower"),
        ([*TOWERS, "model.towers.candidate=[compani]"], "model.towers.candidate[0]: 'compani' is not a feature."),
        ([*TOWERS, "model.towers.candidate=[fare]"], "model.towers.candidate[0] must be a categorical or integer"),
        ([*TOWERS, "model.towers.candidate=[company, fare]"], "model.towers.candidate must leave features to the"),
        ([*TOWERS, "label={kind: numeric, column: tips}"], "label.kind must be binary for two towers"),
    ],
)
def test_two_towers_that_cannot_be(write: Write, overrides: list[str], message: str) -> None:
    assert str(error(write(), *overrides)).startswith(message)


def test_a_split_column_is_not_read_otherwise(write: Write) -> None:
    found = str(error(write(), "data.split_column=company"))
    assert found.startswith("data.split_column must not be a column that the features, the label or the weight read")


def test_parameter_servers_read_transformed_examples(write: Write) -> None:
    found = str(error(write(), "training.strategy=parameter_server", "transform.materialize=false"))
    assert found.startswith("transform.materialize must be true for parameter servers")
