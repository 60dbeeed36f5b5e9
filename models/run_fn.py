"""The function that trains and exports, called by the Trainer through `distribution.trainer.run_fn`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from models.architectures import build_model, make_head
from models.evaluate_checkpoints import evaluate_checkpoints, is_done
from models.export import export_model
from models.input_fn import Split
from models.meaning import Meaning
from models.network import feature_keys
from models.raw_columns import transformed_parser
from models.retrieval import Retrieval
from models.run_config import EVALUATOR, RunConfig
from models.signatures import ServingModule
from models.train import default_backup_dir, train_model
from models.two_tower import TwoTower
from models.warm_start import warm_start
from schemas.transformed import model_inputs


def run_fn(fn_args: Any) -> None:
    """Trains on the train split, watches the eval split, and exports to `fn_args.serving_model_dir`.

    It begins with the weights of the model in `fn_args.base_model`, where one is given and fits (`models.warm_start`).

    In the role of the evaluator it evaluates the backups of a training instead, until that is over.

    Args:
        fn_args: TFX's FnArgs; `custom_config` as in `models.run_config`.

    Raises:
        TrainingError: settings, examples or labels that cannot be trained on, or a loss that is no longer finite.
    """
    config = RunConfig.from_custom_config(fn_args.custom_config)
    training = config.training
    tf.keras.utils.set_random_seed(training.seed)
    tf.keras.mixed_precision.set_global_policy(training.precision)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    inputs = model_inputs(transform.transformed_metadata.schema)
    spec = transform.transformed_feature_spec()
    is_evaluator = config.role == EVALUATOR
    parse = None if config.materialized else transformed_parser(transform.transform_savedmodel_dir)
    cache, most = training.cache, training.cache_bytes
    train = Split.open(fn_args.train_files, spec, cache=cache and not is_evaluator, cache_bytes=most, transform=parse)
    evaluation = Split.open(fn_args.eval_files, spec, cache=cache, cache_bytes=most, transform=parse)
    head = make_head(config.model, config.label, train.labels)
    model = build_model(inputs, config.model, head)
    if is_evaluator:
        backups = config.backup_dir or default_backup_dir(fn_args.model_run_dir)
        evaluate_checkpoints(
            model, head, evaluation, training, backups, fn_args.model_run_dir, lambda: is_done(config.cluster_dir)
        )
        return
    meaning = Meaning.of(inputs, head, transform)
    if base := getattr(fn_args, "base_model", None):
        warm_start(model, inputs, meaning, base)
    towers = config.model.towers
    retrieval = None
    if isinstance(model, TwoTower) and towers is not None:
        retrieval = Retrieval(model, inputs, towers, config.table, transform, train)
    trained = train_model(model, head, train, evaluation, training, fn_args.model_run_dir, config.backup_dir)
    module = ServingModule(
        model,
        head,
        transform.transform_savedmodel_dir,
        tuple(config.table.inputs),
        feature_keys(inputs),
        index=retrieval.finish(evaluation, fn_args.model_run_dir) if retrieval else None,
        query=retrieval.columns if retrieval else (),
    )
    export_model(module, fn_args.serving_model_dir)
    meaning.save(fn_args.serving_model_dir)
    if trained.backup is not None:
        trained.backup.remove()
