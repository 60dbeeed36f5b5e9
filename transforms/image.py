"""An encoded picture as an array of floats."""

from __future__ import annotations

import tensorflow as tf

from schemas.features import Image
from schemas.transformed import transformed_name
from transforms.column import Column


def image(values: Column, spec: Image, name: str) -> dict[str, tf.Tensor]:
    """A decoded, resized and scaled picture.

        unit: x / 255      symmetric: x / 127.5 - 1      standardize: (x - mean) / max(deviation, 1 / sqrt(pixels))

    with x in [0, 255], and mean and deviation of the picture itself. Resizing is bilinear with antialiasing and does
    not keep the aspect ratio. Grey pictures are repeated over three channels, colours become grey (ITU-R BT.601) with
    one; transparency is dropped, and of an animation the first frame is taken. A missing picture, and bytes that
    cannot be decoded, give zeros: one broken picture must not stop a batch.

    Args:
        values: string column of JPEG, PNG, GIF or BMP bytes.
        spec: height, width, channels and scale.
        name: the feature's name.

    Returns:
        `NAME_xf`: float32 [batch, height, width, channels], the model's Picture.

    >>> dot = tf.io.encode_png(tf.constant([[[255, 0, 0]]], tf.uint8))
    >>> spec = Image(kind="image", height=1, width=1)
    >>> image(Column(tf.stack([dot, ""]), "string"), spec, "photo")["photo_xf"].numpy().tolist()
    [[[[1.0, 0.0, 0.0]]], [[[0.0, 0.0, 0.0]]]]
    """
    pixels = _decoded_or_zeros(tf.reshape(values.values, [-1]), spec)
    return {transformed_name(name): tf.ensure_shape(pixels, [None, spec.height, spec.width, spec.channels])}


def _decoded_or_zeros(encoded: tf.Tensor, spec: Image) -> tf.Tensor:
    """All pictures of a batch; [batch, height, width, channels]."""
    # A data set of the batch's pictures: the only way in a graph to go on after an operation that failed.
    rows = tf.size(encoded, tf.int64)
    pictures = tf.data.Dataset.from_tensor_slices((tf.range(rows), encoded))
    pictures = pictures.filter(lambda _, bytes_: tf.not_equal(bytes_, ""))
    pictures = pictures.map(lambda row, bytes_: (row, _decoded(bytes_, spec))).ignore_errors()
    zeros = tf.zeros(tf.stack([rows, spec.height, spec.width, spec.channels]))
    return pictures.batch(tf.maximum(rows, 1)).reduce(
        zeros, lambda made, some: tf.tensor_scatter_nd_update(made, some[0][:, tf.newaxis], some[1])
    )


def _decoded(encoded: tf.Tensor, spec: Image) -> tf.Tensor:
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    pixels = tf.image.resize(tf.ensure_shape(pixels, [None, None, 3]), (spec.height, spec.width), antialias=True)
    pixels = tf.clip_by_value(pixels, 0.0, 255.0)  # Resizing white gives 255.00006.
    if spec.channels == 1:
        pixels = tf.image.rgb_to_grayscale(pixels)
    if spec.scale == "unit":
        pixels = pixels / 255.0
    elif spec.scale == "symmetric":
        pixels = pixels / 127.5 - 1.0
    else:
        pixels = tf.image.per_image_standardization(pixels)
    return tf.ensure_shape(pixels, [spec.height, spec.width, spec.channels])
