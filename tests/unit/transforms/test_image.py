from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.features import Image
from schemas.transformed import Picture
from transforms.column import Column
from transforms.image import image

RED = np.tile(np.array([255, 0, 0], np.uint8), (4, 4, 1))
ENCODERS = {
    "png": lambda pixels: tf.io.encode_png(pixels),
    "jpeg": lambda pixels: tf.io.encode_jpeg(pixels, quality=100),
}


def eagerly(*pictures, **spec):
    spec = Image(kind="image", **{"height": 2, "width": 2, **spec})
    return image(Column(tf.stack([tf.constant(p, tf.string) for p in pictures]), "string"), spec, "x")["x_xf"].numpy()


def test_white_is_one_and_black_zero(kinds):
    found = np.array(kinds.of("photo_xf"))
    assert found.shape == (6, 2, 3, 3)
    assert (found[0] == 1.0).all()
    assert (found[1] == 0.0).all()


def test_missing_truncated_and_undecodable_are_zeros(kinds):
    assert not np.array(kinds.of("photo_xf"))[2:].any()
    assert not np.array(kinds.of("photo_grey_xf"))[2:].any()


def test_symmetric_grey(kinds):
    found = np.array(kinds.of("photo_grey_xf")).ravel()
    assert found[:2] == pytest.approx([1.0, -1.0], abs=1e-3)


def test_model_input(kinds):
    assert kinds.input("photo_xf") == Picture("photo_xf", 2, 3, 3)
    assert kinds.input("photo_grey_xf") == Picture("photo_grey_xf", 1, 1, 1)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_formats(kind):
    assert eagerly(ENCODERS[kind](RED))[0, 0, 0] == pytest.approx([1.0, 0.0, 0.0], abs=0.02)


def test_grey_picture_over_three_channels():
    grey = tf.io.encode_png(np.full((2, 2, 1), 51, np.uint8))
    assert eagerly(grey)[0] == pytest.approx(np.full((2, 2, 3), 0.2))


def test_transparency_is_dropped():
    clear = tf.io.encode_png(np.tile(np.array([255, 0, 0, 0], np.uint8), (2, 2, 1)))
    assert eagerly(clear)[0, 0, 0].tolist() == [1.0, 0.0, 0.0]


def test_standardize_has_mean_zero_and_deviation_one():
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    found = eagerly(tf.io.encode_png(noise), height=8, width=8, scale="standardize")
    assert found.mean() == pytest.approx(0.0, abs=1e-5)
    assert found.std() == pytest.approx(1.0, abs=1e-5)


def test_resizing_is_antialiased():
    # Columns of black and white: halved without antialiasing, one colour would be lost.
    stripes = np.tile(np.array([[0], [255]], np.uint8), (8, 1)).reshape(1, 16, 1).repeat(16, 0)
    found = eagerly(tf.io.encode_png(stripes), height=4, width=4)
    assert found.mean() == pytest.approx(0.5, abs=0.05)


def test_one_broken_picture_leaves_the_others():
    found = eagerly(tf.io.encode_png(RED), b"\x89PNG\r\n\x1a\nbroken", tf.io.encode_png(RED))
    assert found.sum(axis=(1, 2, 3)).tolist() == [4.0, 0.0, 4.0]


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_any_bytes_are_taken(pictures):
    assert np.isfinite(eagerly(*pictures)).all()
