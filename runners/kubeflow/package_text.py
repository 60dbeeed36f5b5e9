"""The text of a package: YAML that is equal for equal documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


def package_text(documents: Sequence[dict[str, Any]], head: str) -> str:
    """The documents as YAML, under a comment.

    Args:
        documents: what Kubeflow takes.
        head: a line that says what it is.
    """
    return f"# {head}\n{yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True, width=120)}"
