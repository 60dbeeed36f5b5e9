"""Models beside those of models.config: kept where they are named, and not unloaded unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import SettingsError
from serving.other_models import kept_models, neighbours, with_kept

FILE = 'model_config_list { config { name: "b" base_path: "gs://bucket/b" version_labels { key: "x" value: 7 } } }'


def parsed(text: str) -> ModelServerConfig:
    return text_format.Parse(text, ModelServerConfig())


def test_models_to_keep_are_named_by_folder_or_by_file(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text(FILE)
    assert kept_models(["a=/m/a", str(tmp_path / "models.config")]) == parsed(
        'model_config_list { config { name: "a" base_path: "/m/a" } config { name: "b" base_path: "gs://bucket/b" '
        'version_labels { key: "x" value: 7 } } }'
    )


def test_what_the_config_has_is_not_changed_by_what_is_kept() -> None:
    config = parsed('model_config_list { config { name: "b" base_path: "/ours" } }')
    assert with_kept(config, parsed(FILE)) == config
    assert with_kept(ModelServerConfig(), parsed(FILE)) == parsed(FILE)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["none.config"], "No such file"),
        (["=/m"], "no NAME=DIR"),
        (["a/b=/m"], "no NAME=DIR"),
        (["a=/m", "a=/n"], "a is named twice"),
    ],
)
def test_what_names_no_models_is_an_error(options: list[str], why: str) -> None:
    with pytest.raises(SettingsError, match=why) as raised:
        kept_models(options)
    assert raised.value.where == "--keep"


def test_a_folder_without_versions_is_none_to_keep(tmp_path: Path) -> None:
    """A server would unload the model."""
    (tmp_path / "b/1").mkdir(parents=True)
    file = tmp_path / "models.config"
    file.write_text(f'model_config_list {{ config {{ name: "b" base_path: "{tmp_path}" }} }}')
    for option in (f"b={tmp_path}", str(file)):
        with pytest.raises(
            SettingsError, match=f"no version of b, .* is in {tmp_path}; or is it {tmp_path}/b"
        ) as raised:
            kept_models([option])
        assert raised.value.where == "--keep"
    assert kept_models([f"b={tmp_path}/b"]).model_config_list.config[0].base_path == f"{tmp_path}/b"
    assert kept_models([f"b={tmp_path}/elsewhere"])  # of the servers


def test_neighbours_are_the_models_of_this_pipeline_and_of_those_beside_it(tmp_path: Path) -> None:
    for path in ("taxi/releases/taxi/1", "taxi/releases/tip/1", "digits/releases/mnist/1", "digits/metadata/x"):
        (tmp_path / path).mkdir(parents=True)
    assert neighbours(tmp_path / "taxi/releases") == {
        "taxi": tmp_path / "taxi/releases/taxi",
        "tip": tmp_path / "taxi/releases/tip",
        "mnist": tmp_path / "digits/releases/mnist",
    }
