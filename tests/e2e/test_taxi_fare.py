"""configs/taxi_fare.yaml: a number to predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

TRIP = {
    "trip_miles": 2.0, "trip_seconds": 600, "trip_start_timestamp": 1_400_000_000, "trip_start_hour": 12,
    "trip_start_day": 3, "pickup_latitude": 41.88, "pickup_longitude": -87.63, "dropoff_latitude": 41.9,
    "dropoff_longitude": -87.63, "pickup_community_area": 32, "dropoff_community_area": 8,
    "dropoff_census_tract": float("nan"), "payment_type": "Cash", "company": "Taxi Affiliation Services",
}  # fmt: skip
LONG_TRIP = {**TRIP, "trip_miles": 16.0, "trip_seconds": 2400}
UNKNOWN = {key: "" if isinstance(value, str) else float("nan") for key, value in TRIP.items()}


def write_trips(path: Path, rows: int, seed: int = 1) -> None:
    """Trips of the columns of the taxi sample: 3.25 dollars, and 2 for each mile and 12 for each hour."""
    generator = np.random.default_rng(seed)
    lines = [
        "pickup_community_area,fare,trip_start_month,trip_start_hour,trip_start_day,trip_start_timestamp,"
        "pickup_latitude,pickup_longitude,dropoff_latitude,dropoff_longitude,trip_miles,pickup_census_tract,"
        "dropoff_census_tract,payment_type,company,trip_seconds,dropoff_community_area,tips"
    ]
    for number in range(rows):
        miles = round(float(generator.gamma(1.5, 2.5)), 1)
        seconds = int(60 * round(3 * miles + generator.gamma(2, 2)))
        fare = round(3.25 + 2 * miles + seconds / 300 + generator.normal(0, 0.2), 2)
        hour, day, tract = number % 24, 1 + number % 7, "" if number % 3 else 17031081500 + number % 9
        start = 1_400_000_000 + 900 * number
        dropoff = "41.9,-87.63" if number % 20 else ","
        lines.append(
            f"32,{max(fare, 3.25)},5,{hour},{day},{start},41.88,-87.63,{dropoff},{miles},,{tract},"
            f"{('Cash', 'Credit Card')[number % 2]},{'' if number % 4 else 'Blue'},{seconds},8,{number % 3}.5"
        )
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("trips") / "data.csv"
    write_trips(path, 1500)
    return run_shipped("taxi_fare", f"data.path={path}", "training.batch_size=32")


@pytest.fixture(scope="module")
def real(run_shipped: Any) -> Any:
    return run_shipped("taxi_fare")


def test_generated_trips_give_a_release(small: Any) -> None:
    assert small.release["blessing"]["blessed"] is True
    assert small.release["classes"] == []


def test_predictions_are_fares(small: Any) -> None:
    predictions = small.predict([TRIP, LONG_TRIP])
    assert predictions.shape == (2, 1)
    # 3.25 + 2 * 2 + 2 and 3.25 + 2 * 16 + 8
    np.testing.assert_allclose(predictions[:, 0], [9.25, 43.25], rtol=0.15)


def test_the_real_sample_reaches_the_metrics_of_the_settings_file(real: Any) -> None:
    assert 0.75 <= real.overall["mean_absolute_error"] <= 1.0
    assert real.overall["mean_squared_error"] <= 9.0
    assert 0.95 <= real.overall["calibration"] <= 1.05
    assert "payment_type:Cash" in real.slices


def test_the_model_of_the_real_sample_gives_sensible_fares(real: Any) -> None:
    trip, long_trip, unknown = real.predict([TRIP, LONG_TRIP, UNKNOWN])[:, 0]
    assert 6 <= trip <= 11
    assert 24 <= long_trip <= 46
    assert 0 <= unknown <= 100
