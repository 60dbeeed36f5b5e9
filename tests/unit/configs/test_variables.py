"""Environment variables in settings, and passwords, which are not shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from schemas.errors import SettingsError
from tests.unit.configs.conftest import SMALL
from tests.unit.configs.settings_error import error

Write = Callable[..., Path]


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
