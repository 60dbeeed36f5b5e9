"""The check that `validation.allow` names types of anomalies that exist."""

from __future__ import annotations

from difflib import get_close_matches

from tensorflow_metadata.proto.v0 import anomalies_pb2

from configs.settings import Validation
from schemas.errors import SettingsError


def check_allowlist(validation: Validation) -> None:
    """A misspelt type would allow nothing, and nobody would know why.

    Raises:
        SettingsError: an entry names a type that TFDV does not have.
    """
    known = anomalies_pb2.AnomalyInfo.Type.keys()
    for index, allowed in enumerate(validation.allow):
        for kind in allowed.kinds:
            if kind in known:
                continue
            near = get_close_matches(kind.upper(), known, n=1, cutoff=0.5)
            raise SettingsError(
                "TFDV has no such type of anomaly.",
                where=f"validation.allow[{index}].kinds (feature {allowed.feature!r})",
                received=kind,
                fix=(f"Did you mean {near[0]}? " if near else "")
                + "The types are those of tensorflow_metadata's AnomalyInfo.Type; leave kinds out to allow them all.",
            )
