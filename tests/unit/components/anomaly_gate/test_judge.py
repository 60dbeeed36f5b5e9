from __future__ import annotations

import json

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from components.anomaly_gate.judge import check_allowlist, judge
from configs.settings import Allowed, Validation
from schemas.errors import SettingsError


def anomalies(text: str) -> anomalies_pb2.Anomalies:
    return text_format.Parse(text, anomalies_pb2.Anomalies())


def statistics_of(rows: int, missing: dict[str, int]) -> statistics_pb2.DatasetFeatureStatisticsList:
    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(num_examples=rows)
    for name, count in missing.items():
        feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
        feature.path.step.append(name)
        common = feature.num_stats.common_stats
        common.num_missing, common.num_non_missing = count, rows - count
        common.tot_num_values, common.max_num_values = rows - count, 1
    return found


FARE = """
    anomaly_info {
      key: "fare"
      value {
        path { step: "fare" }
        severity: ERROR
        description: "Too high. Too low."
        reason { type: FLOAT_TYPE_BIG_FLOAT description: "Too high." }
        reason { type: FLOAT_TYPE_SMALL_FLOAT description: "Too low." }
      }
    }
"""
TIPS_WARNING = """
    anomaly_info {
      key: "tips"
      value {
        path { step: "tips" }
        severity: WARNING
        reason { type: FEATURE_TYPE_LOW_FRACTION_PRESENT description: "Rare." }
      }
    }
"""
UNKNOWN_SEVERITY = """
    anomaly_info {
      key: "fare"
      value { path { step: "fare" } reason { type: FLOAT_TYPE_HAS_NAN } }
    }
"""
FEW_ROWS = """
    dataset_anomaly_info { severity: ERROR reason { type: DATASET_LOW_NUM_EXAMPLES description: "Few." } }
"""


def test_no_anomaly_passes():
    verdict = judge({"train": anomalies("")}, {"train": statistics_of(7, {})}, Validation())
    assert verdict.passed
    assert verdict.rows == {"train": 7}


def test_each_reason_of_a_feature_is_a_finding_with_its_numbers():
    verdict = judge({"train": anomalies(FARE)}, {"train": statistics_of(7, {"fare": 2})}, Validation())
    first, second = verdict.refused
    assert vars(first) == {
        "split": "train",
        "feature": "fare",
        "kind": "FLOAT_TYPE_BIG_FLOAT",
        "severity": "error",
        "description": "Too high.",
        "missing": 2,
        "rows": 7,
        "judgement": "refused",
    }
    assert second.kind == "FLOAT_TYPE_SMALL_FLOAT"


def test_an_empty_list_counts_as_missing():
    found = statistics_of(7, {"fare": 0})
    found.datasets[0].features[0].num_stats.common_stats.tot_num_values = 4
    assert judge({"train": anomalies(FARE)}, {"train": found}, Validation()).findings[0].missing == 3


@pytest.mark.parametrize(
    ("fail_at", "text", "judgement"),
    [
        ("error", TIPS_WARNING, "below fail_at"),
        ("warning", TIPS_WARNING, "refused"),
        ("error", UNKNOWN_SEVERITY, "refused"),
        ("never", FARE, "below fail_at"),
        ("error", FEW_ROWS, "refused"),
        ("error", "data_missing: true", "refused"),
    ],
)
def test_severity_decides(fail_at, text, judgement):
    verdict = judge({"train": anomalies(text)}, {"train": statistics_of(7, {})}, Validation(fail_at=fail_at))
    assert {finding.judgement for finding in verdict.findings} == {judgement}


def test_an_allowed_kind_passes_and_the_other_does_not():
    validation = Validation(allow=(Allowed(feature="fare", kinds=("FLOAT_TYPE_BIG_FLOAT",)),))
    verdict = judge({"train": anomalies(FARE)}, {"train": statistics_of(7, {})}, validation)
    assert [finding.kind for finding in verdict.refused] == ["FLOAT_TYPE_SMALL_FLOAT"]


def test_no_kinds_allow_all_of_the_feature():
    validation = Validation(allow=(Allowed(feature="fare"),))
    verdict = judge({"train": anomalies(FARE)}, {"train": statistics_of(7, {})}, validation)
    assert {finding.judgement for finding in verdict.findings} == {"allowed"}


def test_dataset_names_anomalies_of_the_rows_as_a_whole():
    validation = Validation(allow=(Allowed(feature="dataset", kinds=("DATASET_LOW_NUM_EXAMPLES",)),))
    assert judge({"eval": anomalies(FEW_ROWS)}, {"eval": statistics_of(1, {})}, validation).passed


def test_an_entry_that_meets_nothing_is_told():
    unused = Allowed(feature="company")
    verdict = judge(
        {"train": anomalies(FARE)},
        {"train": statistics_of(7, {})},
        Validation(allow=(Allowed(feature="fare"), unused)),
    )
    assert verdict.unused == (unused,)


def test_the_report_is_json_and_says_all():
    verdict = judge(
        {"train": anomalies(FARE), "eval": anomalies(TIPS_WARNING)},
        {"train": statistics_of(7, {}), "eval": statistics_of(3, {"tips": 3})},
        Validation(allow=(Allowed(feature="fare"), Allowed(feature="x"))),
    )
    report = json.loads(json.dumps(verdict.report()))
    assert report["passed"] is True
    assert report["rows"] == {"train": 7, "eval": 3}
    assert [entry["judgement"] for entry in report["anomalies"]] == ["allowed", "allowed", "below fail_at"]
    assert report["unused_allow"] == [{"feature": "x", "kinds": []}]


@given(
    features=st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True),
    allowed=st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True),
)
def test_what_is_refused_is_what_is_not_allowed(features, allowed):
    found = anomalies_pb2.Anomalies()
    for name in features:
        info = found.anomaly_info[name]
        info.path.step.append(name)
        info.severity = anomalies_pb2.AnomalyInfo.ERROR
        info.reason.add(type=anomalies_pb2.AnomalyInfo.SCHEMA_NEW_COLUMN)
    validation = Validation(allow=tuple(Allowed(feature=name) for name in allowed))
    verdict = judge({"train": found}, {"train": statistics_of(1, {})}, validation)
    assert [finding.feature for finding in verdict.refused] == sorted(set(features) - set(allowed))
    assert {entry.feature for entry in verdict.unused} == set(allowed) - set(features)


def test_known_types_of_anomalies_may_be_allowed():
    check_allowlist(Validation(allow=(Allowed(feature="a", kinds=("SCHEMA_NEW_COLUMN",)), Allowed(feature="b"))))


@pytest.mark.parametrize("kind", ["SCHEMA_NEW_COLUM", "schema_new_column"])
def test_an_unknown_type_is_refused_with_the_nearest(kind):
    allow = (Allowed(feature="a"), Allowed(feature="b", kinds=(kind,)))
    with pytest.raises(SettingsError, match="Did you mean SCHEMA_NEW_COLUMN") as caught:
        check_allowlist(Validation(allow=allow))
    assert caught.value.where == "validation.allow[1].kinds (feature 'b')"
    assert caught.value.received == kind
