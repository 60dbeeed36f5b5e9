from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from configs.load import load_settings
from configs.show import show

Write = Callable[..., Path]


def test_defaults_are_shown_under_the_keys_of_the_files(write: Write) -> None:
    shown = yaml.safe_load(show(load_settings([write()], (), {})))
    assert shown["schema"] == {"path": None}
    assert shown["training"]["optimizer"]["learning_rate"] == 0.001
    assert shown["features"]["fare"]["kind"] == "numeric"
    assert list(shown)[:3] == ["name", "output_dir", "data"]


def test_what_is_shown_loads_to_equal_settings(write: Write) -> None:
    texts = '["", "1e-3", "012", "null", "no", "true", "a: b", " #", "- x", "0x1f", "é", "\\u0000", "a\\nb", "*x", "{"]'
    overrides = [
        f"data.missing_values={texts}",
        'data.path="$$${X}$$${X}"',
        'data.delimiter="\\t"',
        'features."a.b: c"={kind: bucketized, boundaries: [-1e-7, 1e20]}',
        'features."1"={kind: text, ngrams: [1, 2]}',
        "training.early_stopping=null",
        "metadata.url=mysql://me:${DB_PW}@host/db",
    ]
    settings = load_settings([write()], overrides, {"X": "${x}"})
    assert settings.data.path == "$${x}$${x}"
    again = load_settings([write(name="b.yaml", base=show(settings))], (), {})
    assert again == settings


def test_a_written_out_password_is_masked(write: Write) -> None:
    shown = show(load_settings([write()], ["metadata.url=mysql://me:hunter2@host/db"], {}))
    assert "url: mysql://me:***@host/db\n" in shown
    assert "hunter2" not in shown


def test_a_variable_that_holds_a_whole_url_is_masked(write: Write) -> None:
    shown = show(load_settings([write()], ["metadata.url=${URL}"], {"URL": "mysql://me:hunter2@host/db"}))
    assert "url: mysql://me:***@host/db\n" in shown
