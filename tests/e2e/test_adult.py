"""configs/adult.yaml: from UCI's own files to a released model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

EDUCATION = {9: "HS-grad", 10: "Some-college", 13: "Bachelors", 14: "Masters"}
CLERK = {
    "age": 23, "workclass": "Private", "education": "HS-grad", "education_num": 9, "marital_status": "Never-married",
    "occupation": "Other-service", "relationship": "Own-child", "race": "White", "sex": "Female", "capital_gain": 0,
    "capital_loss": 0, "hours_per_week": 25, "native_country": "United-States",
}  # fmt: skip
MANAGER = {
    **CLERK, "age": 48, "education": "Masters", "education_num": 14, "marital_status": "Married-civ-spouse",
    "occupation": "Exec-managerial", "relationship": "Husband", "sex": "Male", "capital_gain": 15024,
    "hours_per_week": 50,
}  # fmt: skip
UNKNOWN = {**CLERK, "workclass": "", "occupation": "", "native_country": "", "age": float("nan")}


def write_adult(folder: Path, rows: int, seed: int = 1) -> None:
    """Rows in the form of UCI's two files: the educated and married earn more, and one row in ten says nothing."""
    generator = np.random.default_rng(seed)
    lines = []
    for number in range(rows):
        years = int(generator.choice(list(EDUCATION)))
        married, male = generator.random(2) < 0.5
        rich = 4.0 * (years >= 13) + 2.0 * married - 3.0 + generator.logistic(0, 0.5) > 0
        lines.append(
            ", ".join(
                (
                    str(generator.integers(17, 91)),
                    "?" if number % 20 == 0 else str(generator.choice(["Private", "State-gov"])),
                    str(generator.integers(20_000, 500_000)),
                    EDUCATION[years],
                    str(years),
                    "Married-civ-spouse" if married else "Never-married",
                    "?" if number % 20 == 0 else str(generator.choice(["Sales", "Tech-support", "Exec-managerial"])),
                    ("Husband" if male else "Wife") if married else "Not-in-family",
                    str(generator.choice(["White", "Black"])),
                    "Male" if male else "Female",
                    str(7688 if rich and generator.random() < 0.2 else 0),
                    str(1902 if generator.random() < 0.05 else 0),
                    str(generator.integers(1, 100)),
                    "?" if number % 50 == 0 else "United-States",
                    ">50K" if rich else "<=50K",
                )
            )
        )
    third = rows // 3
    folder.mkdir()
    (folder / "adult.data").write_text("\n".join(lines[third:]) + "\n\n")
    (folder / "adult.test").write_text("|1x3 Cross validator\n" + "".join(f"{line}.\n" for line in lines[:third]))


pytestmark = pytest.mark.timeout(1800)  # minutes of training, on machines that do other things too


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "adult_census"
    write_adult(folder, 1500)
    return run_shipped("adult", f"data.path={folder}", "training.batch_size=32")


@pytest.fixture(scope="module")
def real(run_shipped: Any, stf_data: Path) -> Any:
    return run_shipped("adult", f"data.path={stf_data}/adult_census")


def test_generated_rows_in_uci_s_form_give_a_release(small: Any) -> None:
    assert small.release["blessing"]["blessed"] is True
    assert small.overall["auc"] >= 0.9


def test_both_files_were_read(small: Any) -> None:
    (rows,) = (small.output_dir / "prepared").glob("[!.]*/adult.csv")
    assert len(rows.read_text().splitlines()) == 1 + 1500


def test_predictions_follow_the_rows(small: Any) -> None:
    clerk, manager, unknown = small.predict([CLERK, MANAGER, UNKNOWN])[:, 0]
    assert 0 <= clerk < 0.3 < 0.7 < manager <= 1
    assert 0 <= unknown < 0.5


def test_the_real_census_reaches_the_metrics_of_the_settings_file(real: Any) -> None:
    assert 0.925 <= real.overall["auc"] <= 0.94
    assert 0.865 <= real.overall["accuracy"] <= 0.89
    assert 0.93 <= real.overall["calibration"] <= 1.07
    assert real.overall["example_count"] > 16_000


def test_the_real_census_is_sliced(real: Any) -> None:
    assert {"sex:Female", "race:Black", "education:Masters", "race:Black, sex:Female"} <= real.slices.keys()


def test_the_model_of_the_real_census_tells_a_clerk_from_a_manager(real: Any) -> None:
    clerk, manager, unknown = real.predict([CLERK, MANAGER, UNKNOWN])[:, 0]
    assert clerk < 0.02
    assert manager > 0.95
    assert unknown < 0.1
