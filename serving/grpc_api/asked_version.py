"""Which version of which model a ModelSpec asks for."""

from __future__ import annotations

from tensorflow_serving.apis import model_pb2


def asked_version(spec: model_pb2.ModelSpec) -> tuple[str, int | None, str | None]:
    """Name, version and label, as `ModelManager.lease` and `states` take them; None for what it does not say."""
    choice = spec.WhichOneof("version_choice")
    return (
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )
