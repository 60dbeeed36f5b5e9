"""The error that tells which anomalies stop the run, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping

from components.anomaly_gate.evidence import Evidence
from components.anomaly_gate.judge import Finding, Verdict
from schemas.errors import AnomalyError

LISTED = 20
"""Anomalies that the message lists; the log has them all."""

LONGEST = 300
"""Characters of TFDV's description that are shown."""

_COMPARED = "COMPARATOR_"
"""How TFDV's kinds of drift and skew begin."""

_LET_PASS = (
    "  or raise the threshold: validation.drift, validation.skew or the schema's comparator; or, where the change is",
    "  to stay, let one run pass, so that later ones are compared with this one: --set 'validation.drift={\"*\": 1}'",
)

EvidenceBySplit = Mapping[tuple[str, str, str], Evidence]
"""Evidence by split, feature and kind."""


def anomaly_error(verdict: Verdict, evidence: EvidenceBySplit, *, listed: int = LISTED) -> AnomalyError:
    """Words for a verdict that stops the run.

    Args:
        verdict: has at least one refused finding.
        evidence: offending rows of the refused findings, where there are any.
        listed: anomalies that are listed.
    """
    refused = verdict.refused
    lines = [line for finding in refused[:listed] for line in _lines(finding, evidence)]
    if len(refused) > listed:
        lines.append(f"    ... and {len(refused) - listed} more, in the log of AnomalyGate")
    features = list(dict.fromkeys(finding.feature for finding in refused))
    shown = ", ".join(features[:listed]) + ", ..." * (len(features) > listed)
    compared = [finding for finding in refused if finding.kind.startswith(_COMPARED)]
    what = "far from what they are compared with" if len(compared) == len(refused) else "not what the schema says"
    return AnomalyError(
        f"The data are {what}: {len(refused)} anomal{'y' if len(refused) == 1 else 'ies'}. "
        "The run stops before Transform.",
        where=f"AnomalyGate, feature{'s' * (len(features) > 1)} {shown}",
        received="\n".join((", ".join(f"{rows} rows in {split}" for split, rows in verdict.rows.items()), *lines)),
        fix="\n".join(
            (
                "mend the data; or, where the data are right and the schema is out of date:",
                "    scalable-tf schema diff -c FILE      shows what would change in the curated schema",
                "    scalable-tf schema accept -c FILE    changes it",
                *(_LET_PASS if compared else ()),
                "  or let these anomalies pass, in the settings:",
                *_allow(refused[:listed]),
            )
        ),
    )


def _lines(finding: Finding, evidence: EvidenceBySplit) -> list[str]:
    lines = [f"    {finding.split}: {finding.feature}: {finding.kind}", f"      {_cut(finding.description.strip())}"]
    found = evidence.get((finding.split, finding.feature, finding.kind))
    if found is not None:
        # That every row lacks a value says it all.
        everywhere = found.rows == finding.rows and all(sample.value is None for sample in found.samples)
        samples = "" if everywhere or not found.samples else ": " + ", ".join(map(str, found.samples))
        lines.append(f"      {_share(found.rows, finding.rows)}{samples}")
    elif finding.missing:
        lines.append(f"      missing in {_share(finding.missing, finding.rows)}")
    return lines


def _cut(text: str) -> str:
    """TFDV lists every unexpected value of a domain; the samples show enough of them."""
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "..."


def _share(part: int, whole: int) -> str:
    percent = 100.0 * part / whole if whole else 0.0
    return f"{part} of {whole} rows ({percent:.2g} %)" if percent < 1 else f"{part} of {whole} rows ({percent:.1f} %)"


def _allow(refused: tuple[Finding, ...]) -> list[str]:
    """The entries of `validation.allow` that would let these pass, ready to be pasted."""
    kinds: dict[str, dict[str, None]] = {}
    for finding in refused:
        kinds.setdefault(finding.feature, {})[finding.kind] = None
    entries = [f"        - {{feature: {_quoted(name)}, kinds: [{', '.join(found)}]}}" for name, found in kinds.items()]
    return ["    validation:", "      allow:", *entries]


def _quoted(name: str) -> str:
    """As a YAML string; plain where that is safe."""
    plain = name.replace("_", "").isalnum() and name[0].isalpha() and name.lower() not in _YAML_WORDS
    return name if plain else "'" + name.replace("'", "''") + "'"


_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
