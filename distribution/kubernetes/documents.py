"""Kubernetes objects as YAML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml


def as_yaml(documents: Iterable[dict[str, Any]]) -> str:
    """Documents as `kubectl apply -f -` reads them."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Without anchors: what is the same in two places is written twice, for people."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
