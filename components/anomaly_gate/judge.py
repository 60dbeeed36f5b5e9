"""The verdict on the anomalies that TFDV found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.anomaly_gate.row_count import Statistics, counted_rows, default_dataset
from components.example_validator.empty_lists import common_statistics, feature_name, values_of
from configs.settings import Allowed, Validation
from schemas.compare import DATASET
from schemas.errors import SettingsError

Severity = Literal["warning", "error"]
Judgement = Literal["refused", "allowed", "below fail_at"]

_RANK: dict[str, int] = {"warning": 1, "error": 2, "never": 3}


@dataclass(frozen=True)
class Finding:
    """One anomaly of one feature in one split.

    Attributes:
        split: name of the split.
        feature: path of the feature, its steps joined by dots; `dataset` for the rows as a whole.
        kind: name of TFDV's AnomalyInfo.Type.
        severity: TFDV's; one that it leaves unknown counts as an error.
        description: TFDV's sentence.
        missing: rows without a value of the feature; None where the statistics do not have the feature.
        rows: rows of the split.
        judgement: what the gate makes of it.
    """

    split: str
    feature: str
    kind: str
    severity: Severity
    description: str
    missing: int | None
    rows: int
    judgement: Judgement


@dataclass(frozen=True)
class Verdict:
    """All findings, in the order of the splits and then by feature.

    Attributes:
        findings: every anomaly, the harmless ones too.
        rows: rows of each split.
        unused: entries of the allowlist that met no anomaly.
    """

    findings: tuple[Finding, ...]
    rows: dict[str, int]
    unused: tuple[Allowed, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """Those that stop the run."""
        return tuple(finding for finding in self.findings if finding.judgement == "refused")

    @property
    def passed(self) -> bool:
        """Whether the run may go on."""
        return not self.refused

    def report(self) -> dict[str, Any]:
        """JSON-ready form, for report.json."""
        return {
            "passed": self.passed,
            "rows": self.rows,
            "anomalies": [vars(finding) for finding in self.findings],
            "unused_allow": [allowed.model_dump(mode="json") for allowed in self.unused],
        }


def judge(anomalies: Mapping[str, anomalies_pb2.Anomalies], statistics: Statistics, validation: Validation) -> Verdict:
    """Weighs each anomaly by its severity and the allowlist.

    Args:
        anomalies: what ExampleValidator found in each split.
        statistics: statistics of each split, for the numbers of rows.
        validation: the section of the settings.
    """
    used: set[int] = set()
    findings = []
    rows = counted_rows(statistics)
    for split, found in anomalies.items():
        missing = _missing(statistics, split)
        for feature, severity, kind, description in sorted(_reasons(found)):
            allowing = [i for i, allowed in enumerate(validation.allow) if _allows(allowed, feature, kind)]
            used.update(allowing)
            judgement: Judgement = "refused"
            if _RANK[severity] < _RANK[validation.fail_at]:
                judgement = "below fail_at"
            elif allowing:
                judgement = "allowed"
            findings.append(
                Finding(
                    split=split,
                    feature=feature,
                    kind=kind,
                    severity=severity,
                    description=description,
                    missing=missing.get(feature),
                    rows=rows.get(split, 0),
                    judgement=judgement,
                )
            )
    unused = tuple(allowed for i, allowed in enumerate(validation.allow) if i not in used)
    return Verdict(findings=tuple(findings), rows=rows, unused=unused)


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


def _allows(allowed: Allowed, feature: str, kind: str) -> bool:
    return allowed.feature == feature and (not allowed.kinds or kind in allowed.kinds)


def _reasons(anomalies: anomalies_pb2.Anomalies) -> Iterator[tuple[str, Severity, str, str]]:
    """Feature, severity, kind and description of every reason; TFDV may give several for one feature."""
    infos = [(".".join(info.path.step) or key, info) for key, info in anomalies.anomaly_info.items()]
    if anomalies.HasField("dataset_anomaly_info"):
        infos.append((DATASET, anomalies.dataset_anomaly_info))
    for feature, info in infos:
        severity: Severity = "warning" if info.severity == anomalies_pb2.AnomalyInfo.WARNING else "error"
        for reason in info.reason:
            yield feature, severity, _kind(reason.type), reason.description or info.description
        if not info.reason:
            yield feature, severity, _kind(anomalies_pb2.AnomalyInfo.UNKNOWN_TYPE), info.description
    if anomalies.data_missing:
        yield DATASET, "error", _kind(anomalies_pb2.AnomalyInfo.NO_DATA_IN_SPAN), "The split has no rows."


def _kind(value: int) -> str:
    return str(anomalies_pb2.AnomalyInfo.Type.Name(value))


def _missing(statistics: Statistics, split: str) -> dict[str, int]:
    """Rows without a value, by feature."""
    if split not in statistics:
        return {}
    dataset = default_dataset(statistics[split])
    counts = {}
    for feature in dataset.features:
        common = common_statistics(feature)
        if common is not None:
            counts[feature_name(feature)] = dataset.num_examples - values_of(common)
    return counts
