"""Settings are loaded: one file, overlays, overrides; whatever is written is settings or one clear error."""

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
from tests.unit.configs.settings_error import error

Write = Callable[..., Path]


def test_a_file_is_loaded(write: Write) -> None:
    settings = load_settings([write()], (), {})
    assert settings.name == "small"
    assert settings.features == {"fare": Numeric(kind="numeric"), "company": Categorical(kind="categorical")}
    assert settings.curated_schema.path is None


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


def test_classes_that_yaml_1_1_takes_for_truth_are_text(write: Write) -> None:
    base = SMALL.replace(
        "{kind: binary, expression: tips > 0.2 * fare}", "{kind: one_hot, column: x, classes: [yes, no]}"
    )
    assert load_settings([write(base=base)], (), {}).label.classes == ("yes", "no")  # type: ignore[union-attr]


def test_yes_and_no_switch_a_switch(write: Write) -> None:
    assert load_settings([write("training: {xla: yes, cache: off, epochs: 1e1}")], (), {}).training.xla is True


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
