"""How secrets reach other processes: through their environment, never in settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from configs.secret import SecretUrl
from configs.settings import Settings


def secret_environment(settings: Settings) -> dict[str, str]:
    """Variables that a process which gets `settings.dump()` needs beside the parent's own environment.

    They hold the passwords that were written out in the settings; those given as `${NAME}` are in the environment
    already. Empty for most settings. They belong into a child's environment or a Kubernetes Secret, never into a file
    or a log.
    """
    found: dict[str, str] = {}
    for secret in _secrets(settings.model_dump(mode="python")):
        found.update(secret.environment())
    return found


def check_secrets(settings: Settings, environment: Mapping[str, str]) -> None:
    """Checks, at the start of a run, that each secret can be read where it will be needed.

    Loading does not check it: settings are also shown, compiled and tested on machines that must not know the secrets.

    Raises:
        SettingsError: a secret's variable is not set.
    """
    for secret in _secrets(settings.model_dump(mode="python")):
        secret.reveal(environment)


def _secrets(value: Any) -> Iterator[SecretUrl]:
    if isinstance(value, SecretUrl):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _secrets(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _secrets(child)
