"""configs/penguins.yaml: a class by name from few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
# Means of the real birds: bill length and depth, flipper length in mm, body mass in g.
MEANS = {"Adelie": (38.8, 18.3, 190, 3700), "Chinstrap": (48.8, 18.4, 196, 3730), "Gentoo": (47.5, 15.0, 217, 5080)}
ISLANDS = {"Adelie": "Torgersen", "Chinstrap": "Dream", "Gentoo": "Biscoe"}
MEASURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


def typical(species: str, **changes: Any) -> dict[str, Any]:
    return {"island": ISLANDS[species], "sex": "female", **dict(zip(MEASURES, MEANS[species], strict=True)), **changes}


def write_penguins(folder: Path, rows: int, seed: int = 1) -> None:
    """Rows as palmerpenguins publishes them: NA for what is missing."""
    generator = np.random.default_rng(seed)
    lines = ["species,island," + ",".join(MEASURES) + ",sex,year"]
    for number in range(rows):
        species = SPECIES[number % 3]
        length, depth, flipper, mass = generator.normal(MEANS[species], (2.0, 0.8, 5.0, 200.0))
        measures = f"{length:.1f},{depth:.1f},{flipper:.0f},{mass:.0f}" if number % 50 else "NA,NA,NA,NA"
        sex = "NA" if number % 30 == 0 else ("male", "female")[number % 2]
        lines.append(f"{species},{ISLANDS[species]},{measures},{sex},{2007 + number % 3}")
    folder.mkdir()
    (folder / "penguins.csv").write_text("\n".join(lines) + "\n")
    (folder / "penguins_raw.csv").write_text("studyName,Sample Number\nPAL0708,1\n")


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "penguins"
    write_penguins(folder, 300)
    return run_shipped("penguins", f"data.path={folder}", "training.epochs=20")


@pytest.fixture(scope="module")
def real(run_shipped: Any, stf_data: Path) -> Any:
    return run_shipped("penguins", f"data.path={stf_data}/penguins")


def test_generated_birds_give_a_release_that_names_the_classes(small: Any) -> None:
    assert small.release["classes"] == SPECIES
    assert small.overall["accuracy"] >= 0.95


def test_predictions_are_probabilities_in_the_order_of_the_classes(small: Any) -> None:
    predictions = small.predict([typical(species) for species in SPECIES])
    assert predictions.shape == (3, 3)
    np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)
    assert predictions.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_bird_of_which_only_the_island_is_known(small: Any) -> None:
    nan = float("nan")
    unknown = typical("Gentoo", sex="", **dict.fromkeys(MEASURES, nan))
    assert np.isfinite(small.predict([unknown])).all()


def test_the_report_shows_each_class(small: Any) -> None:
    assert "most often taken for" in small.ended.stdout
    assert all(species in small.ended.stdout for species in SPECIES)


def test_new_birds_get_a_class_and_the_probability_of_each(small: Any, tmp_path: Path) -> None:
    rows = ["island,sex," + ",".join(MEASURES)]
    rows += [f"{ISLANDS[one]},female,{','.join(map(str, MEANS[one]))}" for one in SPECIES]
    (tmp_path / "new.csv").write_text("\n".join(rows) + "\n")
    ended = small.infer(tmp_path / "new.csv", tmp_path / "out", 'inference.prepare=""')
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = pyarrow.parquet.read_table(tmp_path / "out").to_pydict()
    assert found["row_id"] == ["new.csv:2", "new.csv:3", "new.csv:4"]
    assert found["class"] == SPECIES
    expected = small.predict([typical(species) for species in SPECIES])
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)


def test_the_real_birds_reach_the_metrics_of_the_settings_file(real: Any) -> None:
    assert real.overall["accuracy"] >= 0.97
    assert real.overall["recall"] >= 0.96
    assert real.overall["example_count"] >= 100
    assert np.shape(real.overall["confusion_matrix"]) == (3, 3)
    assert {"island:Biscoe", "sex:female"} <= real.slices.keys()


def test_typical_birds_are_what_the_model_of_the_real_ones_says(real: Any) -> None:
    predictions = real.predict([typical(species) for species in SPECIES])
    assert (predictions.diagonal() > 0.9).all()
