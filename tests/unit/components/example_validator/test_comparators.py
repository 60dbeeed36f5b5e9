from __future__ import annotations

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.example_validator.comparators import Comparisons, Threshold, compares, name_spans, with_comparators


def schema(**drift: float) -> schema_pb2.Schema:
    made = schema_pb2.Schema(feature=[schema_pb2.Feature(name=name) for name in ("fare", "company")])
    for feature in made.feature:
        if feature.name in drift:
            feature.drift_comparator.infinity_norm.threshold = drift[feature.name]
    return made


def thresholds(found: schema_pb2.Schema, kind: str = "drift_comparator") -> dict[str, tuple[float, float]]:
    """Divergence and norm by feature."""
    return {
        feature.name: (
            getattr(feature, kind).jensen_shannon_divergence.threshold,
            getattr(feature, kind).infinity_norm.threshold,
        )
        for feature in found.feature
    }


def test_the_settings_become_comparators() -> None:
    drift = {"fare": Threshold(0.25), "company": Threshold(0.5, "infinity_norm")}
    found = with_comparators(schema(), Comparisons(drift, {"fare": Threshold(0.125)}))
    assert thresholds(found) == {"fare": (0.25, 0.0), "company": (0.0, 0.5)}
    assert thresholds(found, "skew_comparator") == {"fare": (0.125, 0.0), "company": (0.0, 0.0)}


def test_a_named_column_overrides_the_schema_and_the_star_does_not() -> None:
    for named, expected in ((True, (0.25, 0.0)), (False, (0.0, 0.75))):
        found = with_comparators(schema(fare=0.75), Comparisons({"fare": Threshold(0.25, named=named)}))
        assert thresholds(found)["fare"] == expected


def test_the_schema_is_not_changed_and_columns_it_lacks_are_passed_over() -> None:
    given = schema()
    with_comparators(given, Comparisons({"fare": Threshold(0.25), "other": Threshold(0.25)}))
    assert given == schema()


def test_comparisons_survive_json() -> None:
    given = Comparisons({"company": Threshold(0.5, "infinity_norm", named=False)}, {"fare": Threshold(0.25)})
    assert Comparisons.from_json(given.to_json()) == given


def test_a_schema_with_comparators_of_its_own_is_known() -> None:
    assert compares(schema(fare=0.5), "drift_comparator")
    assert not compares(schema(fare=0.5), "skew_comparator")
    assert not compares(schema(), "drift_comparator")


def test_the_spans_are_named() -> None:
    anomalies = anomalies_pb2.Anomalies()
    reason = anomalies.anomaly_info["fare"].reason.add()
    reason.description = "The divergence between current and previous is 0.3, above the threshold 0.1."
    name_spans(anomalies, "span 3", "span 2")
    assert reason.description == (
        "The divergence between span 3 and span 2, the one before, is 0.3, above the threshold 0.1."
    )
