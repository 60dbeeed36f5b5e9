from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import SettingsError
from serving.object_store.bucket_folder import BucketFolder
from serving.server.model_config import ModelConfig, from_file, from_option, from_proto, unique
from serving.server.version_policy import VersionPolicy


def test_an_option_is_a_name_and_a_folder(tmp_path: Path) -> None:
    assert from_option(f"taxi={tmp_path}/a=b") == ModelConfig("taxi", tmp_path / "a=b")


@pytest.mark.parametrize("text", ["taxi", "taxi=", "=/models", "a/b=/models", ""])
def test_an_option_that_names_no_model_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="This names no model"):
        from_option(text)


def test_a_file_is_a_model_server_config(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("""
        model_config_list {
          config { name: "a" base_path: "/a" model_platform: "tensorflow" }
          config { name: "b" base_path: "/b" model_version_policy { latest { num_versions: 2 } } }
          config { name: "c" base_path: "/c" model_version_policy { all {} } version_labels { key: "stable" value: 3 } }
          config { name: "d" base_path: "/d" model_version_policy { specific { versions: 3 versions: 5 } } }
        }""")
    assert from_file(tmp_path / "models") == (
        ModelConfig("a", Path("/a")),
        ModelConfig("b", Path("/b"), VersionPolicy(latest=2)),
        ModelConfig("c", Path("/c"), VersionPolicy("all"), {"stable": 3}),
        ModelConfig("d", Path("/d"), VersionPolicy("specific", specific=(3, 5))),
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "model_config_list { config { nme: 'a' } }",
            "Received: Error parsing text-format tensorflow.serving.ModelServerConfig: 1:",
        ),
        ("custom_model_config {}", "Only a model_config_list"),
        ("model_config_list { config { name: 'a' } }", "needs a name and a base_path"),
        ("model_config_list { config { name: 'a' base_path: '/a' model_platform: 'caffe' } }", "unsupported platform"),
        (
            "model_config_list { config { name: 'a' base_path: '/a' model_version_policy { specific {} } } }",
            "names no versions",
        ),
        (
            "model_config_list { config { name: 'a' base_path: '/a' } config { name: 'a' base_path: '/b' } }",
            "list model a multiple times in config list",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "models").write_text(text)
    with pytest.raises(SettingsError, match=what):
        from_file(tmp_path / "models")


def test_a_folder_may_be_in_a_bucket(tmp_path: Path) -> None:
    assert from_option("taxi=gs://models/releases/taxi/").base_path == BucketFolder("gs", "models", "releases/taxi")
    (tmp_path / "models").write_text('model_config_list { config { name: "a" base_path: "s3://models" } }')
    (model,) = from_file(tmp_path / "models")
    assert model.base_path == BucketFolder("s3", "models")
    for text, fix in {"hdfs://models/a": "Name the bucket", "s3a://models/a": "Write s3://", "gs:///a": "Name"}.items():
        with pytest.raises(SettingsError, match=f"(?s)Received: {text}\n.*Fix: {fix}"):
            from_option(f"a={text}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        from_file(tmp_path / "missing")


def test_names_are_given_once() -> None:
    with pytest.raises(SettingsError, match="list model a multiple times in config list"):
        unique([ModelConfig("a", Path("/a")), ModelConfig("a", Path("/b"))])


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("base_path: '/a'", "Illegal setting neither"),
        ("base_path: '/a' model_platform: 'tensorflow' model_type: TENSORFLOW", "Illegal setting both"),
        ("base_path: 'a' model_platform: 'tensorflow'", r"absolute path or URI; got base_path\(\)=a"),
        ("model_type: TENSORFLOW", r"absolute path or URI; got base_path\(\)="),
        ("base_path: '/a' model_type: OTHER", "ModelServerConfig::model_type choice 2 not supported"),
        ("base_path: '/a' model_platform: 'caffe'", "Illegal to change a model's platform. For model a platform was"),
    ],
)
def test_a_reload_is_as_strict_as_tensorflow_serving(fields: str, what: str) -> None:
    config = text_format.Parse(f"model_config_list {{ config {{ name: 'a' {fields} }} }}", ModelServerConfig())
    with pytest.raises(SettingsError, match=what):
        from_proto(config, strict=True, served=["a"])


def test_the_field_that_came_before_the_platform() -> None:
    text = "model_config_list { config { name: 'a' base_path: '/a' model_type: TENSORFLOW } }"
    config = text_format.Parse(text, ModelServerConfig())
    assert from_proto(config, strict=True) == (ModelConfig("a", Path("/a")),)
