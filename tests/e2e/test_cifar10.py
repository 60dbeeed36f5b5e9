"""configs/cifar10.yaml: from zip archives of pictures to a released model."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SIDE = 32


def jpeg(kind: str, generator: np.random.Generator) -> bytes:
    """A picture of a class: a colour and stripes of its own, under noise."""
    import tensorflow as tf

    number = CLASSES.index(kind)
    colour = np.array([number % 2, number // 2 % 2, number // 4 % 2]) * 160 + 40
    stripes = 40 * (np.arange(SIDE) // 4 % 2) * (number // 8)
    pixels = colour + stripes[:, np.newaxis, np.newaxis] + generator.normal(0, 15, (SIDE, SIDE, 3))
    encoded: bytes = tf.io.encode_jpeg(np.clip(pixels, 0, 255).astype(np.uint8)).numpy()
    return encoded


def write_cifar10(folder: Path, pictures: int, seed: int = 1) -> None:
    """Archives in the public form: one to train and one to test, and a table of labels that nobody reads."""
    generator = np.random.default_rng(seed)
    folder.mkdir()
    for part, count in (("train", pictures * 5 // 6), ("test", pictures // 6)):
        with zipfile.ZipFile(folder / f"cifar10_{part}_jpg.zip", "w") as archive:
            archive.writestr("labels.csv", "name,label\n")
            for number in range(count):
                kind = CLASSES[number % len(CLASSES)]
                archive.writestr(f"{part}/{kind}/{number:04d}.jpg", jpeg(kind, generator))


pytestmark = pytest.mark.timeout(1800)  # minutes of training, on machines that do other things too


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "cifar10"
    write_cifar10(folder, 600)
    return run_shipped(
        "cifar10",
        f"data.path={folder}",
        "training.batch_size=16",
        "training.epochs=4",
        "training.optimizer.schedule.warmup_steps=10",
        "model.pictures.filters=[8, 16, 32]",
    )


@pytest.fixture(scope="module")
def real(run_shipped: Any, stf_data: Path) -> Any:
    return run_shipped("cifar10", f"data.path={stf_data}/cifar10")


def test_generated_pictures_give_a_release(small: Any) -> None:
    assert small.release["blessing"]["blessed"] is True
    assert small.overall["accuracy"] >= 0.8


def test_the_release_names_the_classes(small: Any) -> None:
    assert small.release["classes"] == CLASSES


def test_the_model_of_generated_pictures_tells_them_apart(small: Any) -> None:
    generator = np.random.default_rng(2)
    predictions = small.predict([{"image": jpeg(kind, generator)} for kind in CLASSES])
    assert predictions.shape == (10, 10)
    np.testing.assert_allclose(predictions.sum(axis=1), 1.0, atol=1e-5)
    assert np.mean(predictions.argmax(axis=1) == np.arange(10)) >= 0.7


def test_a_broken_and_a_missing_picture_are_answered_alike(small: Any) -> None:
    broken, missing = small.predict([{"image": b"no picture"}, {"image": b""}])
    np.testing.assert_allclose(broken, missing, rtol=1e-4)


def test_the_real_pictures_reach_the_metrics_of_the_settings_file(real: Any) -> None:
    assert real.release["blessing"]["blessed"] is True
    assert real.overall["accuracy"] >= 0.64
    assert real.overall["example_count"] > 3_800


def test_the_model_of_the_real_pictures_knows_those_that_it_was_trained_on(real: Any, stf_data: Path) -> None:
    rows, labels = [], []
    with zipfile.ZipFile(stf_data / "cifar10/cifar10_train_20k_jpg.zip") as archive:
        for label, kind in enumerate(CLASSES):
            for number in range(20):
                rows.append({"image": archive.read(f"train/{kind}/{number:04d}.jpg")})
                labels.append(label)
    assert np.mean(real.predict(rows).argmax(axis=1) == labels) >= 0.6
