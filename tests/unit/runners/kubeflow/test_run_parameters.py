from __future__ import annotations

import json
from pathlib import Path

import pytest

from configs.fingerprint import settings_fingerprint
from configs.load import load_settings
from configs.settings import Settings
from runners.kubeflow.run_parameters import RunParameters, read_settings, settings_of, settings_text
from schemas.errors import SettingsError

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.stem)
def test_settings_come_back_as_they_were(file: Path) -> None:
    settings = load_settings([file], [], {})
    again = read_settings(settings_text(settings))
    assert again == settings
    assert list(again.features) == list(settings.features)
    assert settings_fingerprint(again) == settings_fingerprint(settings)
    assert len(settings_text(settings)) < 5000


def test_a_dump_with_every_default_is_read_too() -> None:
    settings = load_settings([ROOT / "configs/taxi.yaml"], [], {})
    assert read_settings(json.dumps(settings.dump())) == settings


def test_a_secret_is_the_name_of_its_variable() -> None:
    url = "metadata.url=mysql://ml:${DB_PASSWORD}@db/ml"
    settings = load_settings([ROOT / "configs/minimal.yaml"], [url], {"DB_PASSWORD": "hunter2"})
    assert "${DB_PASSWORD}" in settings_text(settings)
    assert "hunter2" not in settings_text(settings)


def _of(**over: int) -> Settings:
    text = settings_text(load_settings([ROOT / "configs/minimal.yaml"], ["training.epochs=2"], {}))
    return settings_of(RunParameters(text, **over))


def test_parameters_go_over_the_settings() -> None:
    settings = _of(span=7, steps=30)
    assert (settings.data.span, settings.training.steps, settings.training.epochs) == (7, 30, 2)


def test_parameters_that_are_not_given_change_nothing() -> None:
    assert _of() == load_settings([ROOT / "configs/minimal.yaml"], ["training.epochs=2"], {})


def test_span_0_is_a_span() -> None:
    assert _of(span=0).data.span == 0


def test_a_window_is_another_number_of_spans_but_no_other_pipeline() -> None:
    windowed = settings_text(load_settings([ROOT / "configs/minimal.yaml"], ["window.spans=7"], {}))
    assert settings_of(RunParameters(windowed, window=3)).window.spans == 3
    with pytest.raises(SettingsError, match="was compiled with a window"):
        settings_of(RunParameters(windowed, window=1))
    with pytest.raises(SettingsError, match="was compiled without a window"):
        _of(window=3)


def test_a_parameter_that_is_wrong() -> None:
    with pytest.raises(SettingsError, match=r"data\.span"):
        _of(span=-5)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
def test_texts_that_are_no_settings(text: str) -> None:
    with pytest.raises(SettingsError, match="parameter settings"):
        read_settings(text)
