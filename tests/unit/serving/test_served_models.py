"""models.config: one entry changes, the others stay, and the file is replaced whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.served_models import ServedModels, labels_of, loaded_versions, protected_versions, with_model

OTHER = 'config { name: "other" base_path: "/o" logging_config { sampling_config { sampling_rate: 0.5 } } }'


def parsed(*entries: str) -> ModelServerConfig:
    return text_format.Parse(f"model_config_list {{ {' '.join(entries)} }}", ModelServerConfig())


def test_a_new_entry_is_what_tensorflow_serving_needs() -> None:
    config = with_model(ModelServerConfig(), "taxi", "/r/taxi", labels={"stable": 2}, versions=[2, 1])
    assert config == parsed(
        'config { name: "taxi" base_path: "/r/taxi" model_platform: "tensorflow" '
        'model_version_policy { specific { versions: 1 versions: 2 } } version_labels { key: "stable" value: 2 } }'
    )


def test_other_models_and_the_rest_of_the_entry_stay() -> None:
    before = parsed(OTHER, 'config { name: "taxi" base_path: "/m" model_platform: "x" version_labels { key: "a" } }')
    after = with_model(before, "taxi", "/m", labels={"stable": 3}, versions=[3])
    assert after == parsed(
        OTHER,
        'config { name: "taxi" base_path: "/m" model_platform: "x" '
        'model_version_policy { specific { versions: 3 } } version_labels { key: "stable" value: 3 } }',
    )
    assert labels_of(before, "taxi") == {"a": 0}


def test_what_is_written_is_read_back_with_the_comments_at_the_beginning(tmp_path: Path) -> None:
    served = ServedModels(tmp_path)
    served.path.write_text("# Ours.\n# Two lines.\nmodel_config_list { " + OTHER + "}")
    config = with_model(served.config(), "taxi", "/r/taxi", labels={"stable": 1}, versions=[1])
    served.write(config)
    assert served.config() == config
    assert served.path.read_text().startswith("# Ours.\n# Two lines.\nmodel_config_list {")


def test_a_new_file_says_who_writes_it_and_can_be_read_by_a_server(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        ServedModels(tmp_path).write(parsed(OTHER))
    finally:
        os.umask(umask)
    assert (tmp_path / "models.config").read_text().startswith("# Written by `scalable-tf release`")
    assert (tmp_path / "models.config").stat().st_mode & 0o777 == 0o644


def test_no_file_is_an_empty_config(tmp_path: Path) -> None:
    assert ServedModels(tmp_path).config() == ModelServerConfig()


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".models.config-dead").touch()
    ServedModels(tmp_path).write(parsed(OTHER))
    assert [path.name for path in tmp_path.iterdir()] == ["models.config"]


def test_putting_back_no_file_removes_it(tmp_path: Path) -> None:
    served = ServedModels(tmp_path)
    served.write(parsed(OTHER))
    served.write_text(None)
    assert served.text() is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "unknown_field: 1",
        'custom_model_config { type_url: "x" }',
        f"model_config_list {{ {OTHER} {OTHER} }}",
        b"\xff",
    ],
    ids=["cut", "unknown", "custom", "twice", "binary"],
)
def test_what_is_no_config_is_refused(text: str | bytes, tmp_path: Path) -> None:
    (tmp_path / "models.config").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ReleaseError, match=r"cannot be read.\n  Where: .*models\.config"):
        ServedModels(tmp_path).config()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", {5}),
        ("model_version_policy { latest { num_versions: 2 } }", {3, 5}),
        ("model_version_policy { latest { } }", {5}),
        ("model_version_policy { all { } }", {1, 3, 5}),
        ("model_version_policy { specific { versions: 1 versions: 4 } }", {1}),
    ],
)
def test_what_a_server_loads_by_a_policy(policy: str, expected: set[int]) -> None:
    config = parsed(f'config {{ name: "taxi" base_path: "/r" {policy} }}')
    assert loaded_versions(config, "taxi", [1, 3, 5]) == expected


def test_without_an_entry_the_newest_is_loaded_and_nothing_is_protected() -> None:
    assert loaded_versions(ModelServerConfig(), "taxi", [1, 3]) == {3}
    assert loaded_versions(ModelServerConfig(), "taxi", []) == set()
    assert protected_versions(ModelServerConfig(), "taxi") == set()


def test_labelled_and_loaded_versions_are_protected() -> None:
    config = with_model(ModelServerConfig(), "taxi", "/r", labels={"stable": 3, "beta": 4}, versions=[2, 3])
    assert protected_versions(config, "taxi") == {2, 3, 4}
