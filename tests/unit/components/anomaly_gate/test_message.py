from __future__ import annotations

import yaml

from components.anomaly_gate.evidence import Evidence, Sample
from components.anomaly_gate.judge import Finding, Verdict
from components.anomaly_gate.message import anomaly_error
from configs.settings import Validation


def finding(feature: str = "pay", kind: str = "ENUM_TYPE_UNEXPECTED_STRING_VALUES", split: str = "train") -> Finding:
    return Finding(
        split=split,
        feature=feature,
        kind=kind,
        severity="error",
        description="Examples contain values missing from the schema: Beer (~1%). ",
        missing=0,
        rows=300,
        judgement="refused",
    )


def verdict(*findings: Finding) -> Verdict:
    return Verdict(findings=findings, rows={"train": 300}, unused=())


def test_the_message_has_what_where_received_and_the_remedy():
    found = finding()
    evidence = {("train", "pay", found.kind): Evidence(3, (Sample("'Beer'", 7), Sample("'Gin'", 12)))}
    assert str(anomaly_error(verdict(found), evidence)) == (
        "The data are not what the schema says: 1 anomaly. The run stops before Transform.\n"
        "  Where: AnomalyGate, feature pay\n"
        "  Received: 300 rows in train\n"
        "    train: pay: ENUM_TYPE_UNEXPECTED_STRING_VALUES\n"
        "      Examples contain values missing from the schema: Beer (~1%).\n"
        "      3 of 300 rows (1.0 %): 'Beer' (row 7), 'Gin' (row 12)\n"
        "  Fix: mend the data; or, where the data are right and the schema is out of date:\n"
        "    scalable-tf schema diff -c FILE      shows what would change in the curated schema\n"
        "    scalable-tf schema accept -c FILE    changes it\n"
        "  or let these anomalies pass, in the settings:\n"
        "    validation:\n"
        "      allow:\n"
        "        - {feature: pay, kinds: [ENUM_TYPE_UNEXPECTED_STRING_VALUES]}"
    )


def test_the_settings_shown_are_valid_and_allow_what_was_refused():
    refused = verdict(
        finding("pay"),
        finding("pay", "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        finding("pay", split="eval"),
        finding("it's: a [name]"),
        finding("yes"),
    )
    text = anomaly_error(refused, {}).fix
    pasted = yaml.safe_load(text[text.index("    validation:") :])
    allow = Validation.model_validate(pasted["validation"]).allow
    assert [entry.feature for entry in allow] == ["pay", "it's: a [name]", "yes"]
    assert allow[0].kinds == ("ENUM_TYPE_UNEXPECTED_STRING_VALUES", "FEATURE_TYPE_LOW_FRACTION_PRESENT")


def test_of_many_anomalies_only_some_are_listed():
    error = anomaly_error(verdict(*(finding(f"f{n}") for n in range(30))), {}, listed=20)
    assert "f19: ENUM" in str(error.received)
    assert "f20" not in str(error)
    assert str(error.received).endswith("    ... and 10 more, in the log of AnomalyGate")
    assert "30 anomalies" in error.what


def test_a_long_description_is_cut():
    long = Finding(**{**vars(finding()), "description": "x" * 5000})
    assert len(str(anomaly_error(verdict(long), {}))) < 1500


def test_rows_are_not_listed_where_every_row_lacks_a_value():
    found = finding(kind="FEATURE_TYPE_NOT_PRESENT")
    evidence = {("train", "pay", found.kind): Evidence(300, (Sample(None, 1), Sample(None, 2)))}
    assert "      300 of 300 rows (100.0 %)\n" in str(anomaly_error(verdict(found), evidence)) + "\n"


def test_missing_rows_come_from_the_statistics_when_no_row_was_read():
    gone = Finding(**{**vars(finding()), "missing": 2})
    assert "missing in 2 of 300 rows (0.67 %)" in str(anomaly_error(verdict(gone), {}))
