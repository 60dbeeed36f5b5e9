from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.picture_augmentation import PictureAugmentation

ROW = tf.reshape(tf.constant([1.0, 2.0, 3.0, 4.0]), [1, 1, 4, 1])


def _seen(layer: PictureAugmentation, picture: tf.Tensor) -> set[tuple[float, ...]]:
    """What becomes of many copies of a picture in training."""
    tf.keras.utils.set_random_seed(1)
    copies = tf.repeat(picture, 200, axis=0)
    return {tuple(row) for row in layer(copies, training=True).numpy().reshape(200, -1).tolist()}


def test_pictures_are_mirrored_left_to_right() -> None:
    assert _seen(PictureAugmentation(flip=True), ROW) == {(1.0, 2.0, 3.0, 4.0), (4.0, 3.0, 2.0, 1.0)}


def test_a_moved_picture_is_filled_with_its_reflection() -> None:
    assert _seen(PictureAugmentation(shift=1), ROW) == {
        (2.0, 1.0, 2.0, 3.0),
        (1.0, 2.0, 3.0, 4.0),
        (2.0, 3.0, 4.0, 3.0),
    }


def test_pictures_are_moved_up_and_down_too() -> None:
    column = tf.reshape(tf.constant([1.0, 2.0, 3.0]), [1, 3, 1, 1])
    assert _seen(PictureAugmentation(shift=1), column) == {(2.0, 1.0, 2.0), (1.0, 2.0, 3.0), (2.0, 3.0, 2.0)}


def test_channels_stay_together() -> None:
    picture = tf.reshape(tf.range(6.0), [1, 1, 3, 2])
    assert _seen(PictureAugmentation(flip=True), picture) == {(0, 1, 2, 3, 4, 5), (4, 5, 2, 3, 0, 1)}


@pytest.mark.parametrize("training", [False, None])
def test_nothing_is_varied_outside_of_training(training: bool | None) -> None:
    pictures = tf.random.stateless_normal([8, 4, 4, 3], seed=[1, 2])
    found = PictureAugmentation(flip=True, shift=2)(pictures, training=training)
    np.testing.assert_array_equal(found, pictures)


def test_a_shift_is_at_most_the_side_less_one() -> None:
    assert _seen(PictureAugmentation(shift=9), tf.reshape(tf.constant([1.0, 2.0]), [1, 1, 2, 1])) == {
        (1.0, 2.0),
        (2.0, 1.0),
    }
