from __future__ import annotations

from pathlib import Path

from configs.changed_settings import changed_settings
from configs.load import load_settings

MINIMAL = Path(__file__).parents[3] / "configs/minimal.yaml"


def test_each_setting_that_differs_is_given_with_both_values() -> None:
    before, now = load_settings([MINIMAL]), load_settings([MINIMAL], ["training.epochs=3", "push.keep=5"])
    assert changed_settings(before, now) == {"training.epochs": (10, 3), "push.keep": (None, 5)}


def test_a_feature_that_came_is_given_as_a_whole() -> None:
    before, now = load_settings([MINIMAL]), load_settings([MINIMAL], ["features.company={kind: categorical}"])
    ((key, (old, new)),) = changed_settings(before, now).items()
    assert (key, old, new["kind"]) == ("features.company", None, "categorical")


def test_equal_settings_have_no_difference() -> None:
    assert changed_settings(load_settings([MINIMAL]), load_settings([MINIMAL])) == {}
