"""The run_fn of the stock side, in the form of the one in TFX's taxi template. Imports TensorFlow.

Features, architecture, optimizer, schedule, batches, steps, and the passes after which the eval split is looked at,
are those of our side. TFX's and Keras's are: the input pipeline, which streams files through the data accessor;
`compile` and `fit` with their defaults, one step an execution among them; and the SavedModel of a Keras model.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl.public import tfxio

from models.architectures import build_model
from models.head import Head
from models.network import example_features
from models.optimizer import make_optimizer
from models.plan import Plan
from models.run_config import RunConfig
from models.stop_at_step import StopAtStep
from schemas.transformed import LABEL_KEY, PREDICTION_KEY, model_inputs

TRAIN_ROWS_KEY = "train_rows"


def run_fn(fn_args: Any) -> None:
    """Trains and exports.

    Args:
        fn_args: TFX's FnArgs; `custom_config` as in `models.run_config`, and the rows of the train split, about.
    """
    config = RunConfig.from_custom_config(fn_args.custom_config)
    tf.keras.utils.set_random_seed(config.training.seed)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    schema = transform.transformed_metadata.schema
    plan = Plan.of(config.training, fn_args.custom_config[TRAIN_ROWS_KEY])

    def dataset(files: list[str], **options: Any) -> tf.data.Dataset:
        return fn_args.data_accessor.tf_dataset_factory(
            files, tfxio.TensorFlowDatasetOptions(plan.batch_size, label_key=LABEL_KEY, **options), schema
        )

    # The bias starts at 0: to start at the labels' log-odds, as ours does, would take a pass over the rows.
    head = Head("binary", 1, tf.zeros([1]).numpy())
    inputs = model_inputs(schema)
    features = {
        key: tf.keras.Input(zeros.shape[1:], dtype=zeros.dtype, name=key)
        for key, zeros in example_features(inputs).items()
    }
    model = tf.keras.Model(features, build_model(inputs, config.model, head)(features))
    model.compile(make_optimizer(config.training.optimizer, plan.steps), head.loss(), head.metrics())
    model.fit(
        dataset(fn_args.train_files),
        epochs=plan.epochs,
        steps_per_epoch=plan.steps_per_epoch,
        validation_data=dataset(fn_args.eval_files, num_epochs=1, shuffle=False, drop_final_batch=False),
        callbacks=[
            tf.keras.callbacks.TensorBoard(fn_args.model_run_dir, update_freq="epoch"),
            StopAtStep(plan.steps, plan.steps_per_epoch),
        ],
        verbose=2,
    )
    signatures = {
        "serving_default": _serving_signature(model, head, transform, config.table.inputs),
        "transform_features": _transform_signature(model, transform),
    }
    tf.saved_model.save(model, fn_args.serving_model_dir, signatures=signatures)


def _serving_signature(model: tf.keras.Model, head: Head, transform: tft.TFTransformOutput, columns: Any) -> Any:
    """Serialized examples, without the label, to predictions."""
    model.tft_layer_inference = transform.transform_features_layer()
    spec = {name: feature for name, feature in transform.raw_feature_spec().items() if name in columns}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        transformed = model.tft_layer_inference(tf.io.parse_example(examples, spec))
        return {PREDICTION_KEY: head.predictions(model(transformed))}

    return serve


def _transform_signature(model: tf.keras.Model, transform: tft.TFTransformOutput) -> Any:
    """Serialized examples to transformed features and label, for TFMA."""
    model.tft_layer_eval = transform.transform_features_layer()
    spec = transform.raw_feature_spec()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.tft_layer_eval(tf.io.parse_example(examples, spec))

    return transform_features
