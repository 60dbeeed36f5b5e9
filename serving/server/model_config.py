"""Which models are served, from where: from options, or from TensorFlow Serving's ModelServerConfig."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from schemas.errors import SettingsError
from serving.object_store.bucket_folder import BucketFolder
from serving.server.version_policy import VersionPolicy


@dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes:
        name: by which it is asked for.
        base_path: the folder with a directory for each version, on this machine or in a bucket.
        policy: which versions are served; default: the newest.
        version_labels: versions by label.
    """

    name: str
    base_path: Path | BucketFolder
    policy: VersionPolicy = field(default_factory=VersionPolicy)
    version_labels: Mapping[str, int] = field(default_factory=dict)


def from_option(text: str) -> ModelConfig:
    """The model of an option NAME=DIR.

    Raises:
        SettingsError: that it is not.
    """
    name, equals, folder = text.partition("=")
    if not (name and equals and folder) or "/" in name:
        raise SettingsError(
            "This names no model.",
            where="--model",
            received=text,
            fix="Give NAME=DIR: a name without a slash, and the folder with the directories of its versions; this may "
            "be gs://BUCKET/FOLDER or s3://BUCKET/FOLDER.",
        )
    return ModelConfig(name, _folder(folder, "--model"))


def from_file(path: Path) -> tuple[ModelConfig, ...]:
    """The models of a file: a ModelServerConfig as protocol buffer text.

    Raises:
        SettingsError: it cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        # TensorFlow Serving's words, for who looks for them.
        parsing = "Error parsing text-format tensorflow.serving.ModelServerConfig: "
        raise SettingsError(
            "The file of models cannot be read.",
            where=str(path),
            received=f"{parsing if isinstance(error, text_format.ParseError) else ''}{error}",
            fix='Write a ModelServerConfig: model_config_list { config { name: "x" base_path: "/models/x" } }.',
        ) from error
    return from_proto(found, where=str(path))


def from_proto(
    given: model_server_config_pb2.ModelServerConfig,
    where: str = "",
    *,
    strict: bool = False,
    served: Container[str] = (),
) -> tuple[ModelConfig, ...]:
    """The models of a ModelServerConfig.

    Args:
        given: the config.
        where: it is from, for errors.
        strict: whether each model has to name its platform and an absolute path, as TensorFlow Serving wants it.
        served: names of models that are served now, for errors.

    Raises:
        SettingsError: something in it is wrong.
    """
    if given.WhichOneof("config") == "custom_model_config":
        raise SettingsError(
            "Only a model_config_list can be served.",
            where=where,
            received="custom_model_config",
            fix="List the models in model_config_list.",
        )
    if strict:
        for one in given.model_config_list.config:
            _check(one, where, served)
    return unique(tuple(_model(one, where) for one in given.model_config_list.config), where)


def unique(models: Iterable[ModelConfig], where: str = "") -> tuple[ModelConfig, ...]:
    """The models, each of which has a name of its own.

    Raises:
        SettingsError: a name is there twice.
    """
    found: dict[str, ModelConfig] = {}
    for model in models:
        if model.name in found:
            raise SettingsError(
                f"Illegal to list model {model.name} multiple times in config list.",
                where=where,
                received=model.name,
                fix="Give each a name of its own.",
            )
        found[model.name] = model
    return tuple(found.values())


def _check(given: model_server_config_pb2.ModelConfig, where: str, served: Container[str]) -> None:
    fields = "ModelServerConfig::model_type (deprecated)", "ModelServerConfig::model_platform"
    if not given.model_platform and not given.model_type:
        raise SettingsError(
            f"Illegal setting neither {fields[0]} nor {fields[1]}, model name is {given.name}.",
            where=where,
            fix='Add model_platform: "tensorflow".',
        )
    if given.model_platform and given.model_type:
        raise SettingsError(
            f"Illegal setting both {fields[0]} and {fields[1]}, model name is {given.name}.",
            where=where,
            fix="Leave model_type out.",
        )
    if given.model_type not in (0, 1):
        raise SettingsError(
            f"{fields[0].split()[0]} choice {given.model_type} not supported.",
            where=where,
            fix='Use model_platform: "tensorflow".',
        )
    if given.name in served and given.model_platform not in ("", "tensorflow"):
        raise SettingsError(
            f"Illegal to change a model's platform. For model {given.name} platform was tensorflow and new platform "
            f"requested is {given.model_platform}.",
            where=where,
            fix="Give the other model another name.",
        )
    if not given.base_path.startswith("/") and "://" not in given.base_path:
        raise SettingsError(
            f"Expected model {given.name} to have an absolute path or URI; got base_path()={given.base_path}",
            where=where,
            fix="Give the whole path, as the server sees it.",
        )


def _model(given: model_server_config_pb2.ModelConfig, where: str) -> ModelConfig:
    # The whole number is tensorflow's in the field that came before model_platform.
    if given.model_platform not in ("", "tensorflow") or given.model_type not in (0, 1):
        raise SettingsError(
            f"Model {given.name} requests unsupported platform {given.model_platform or given.model_type}.",
            where=where,
            fix='Use model_platform: "tensorflow".',
        )
    if not given.name or not given.base_path:
        raise SettingsError(
            "A model needs a name and a base_path.", where=where, received=str(given).strip(), fix="Give both."
        )
    return ModelConfig(given.name, _folder(given.base_path, where), _policy(given, where), dict(given.version_labels))


def _folder(path: str, where: str) -> Path | BucketFolder:
    return BucketFolder.of(path, where) if "://" in path else Path(path).absolute()


def _policy(given: model_server_config_pb2.ModelConfig, where: str) -> VersionPolicy:
    policy = given.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return VersionPolicy("all")
    if kind == "specific":
        if not policy.specific.versions:
            raise SettingsError(
                f"The policy of model {given.name} names no versions.",
                where=where,
                received="specific {}",
                fix="Name them: specific { versions: 3 versions: 4 }.",
            )
        return VersionPolicy("specific", specific=tuple(policy.specific.versions))
    return VersionPolicy("latest", latest=max(policy.latest.num_versions, 1))
