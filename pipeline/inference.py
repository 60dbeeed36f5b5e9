"""The chain of nodes that predicts, made from the settings alone.

    InferExampleGen -> BlessedModel | GivenModel -> BulkInferrer

It has the name and the store of the training pipeline, so that it finds the models which that has blessed, and nodes of
its own, so that a run of the one is never taken for a run of the other.
"""

from __future__ import annotations

from pathlib import Path

from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.bulk_inferrer.component import BulkInferrer
from components.example_gen.inference import InferenceExampleGen
from components.example_gen.prepared import prepare_code
from components.latest_blessed.strategy import LatestBlessedBeforeStrategy
from configs.fingerprint import code_fingerprint
from configs.settings import Settings
from pipeline import nodes
from pipeline.cache_key import depends_on
from pipeline.evaluation import label_fingerprint
from pipeline.find_release import find_release
from pipeline.pipeline import assembled, root
from pipeline.user_function import check_function
from schemas.errors import SettingsError
from schemas.features import FeatureTable, IntegerLabel, OneHotLabel
from schemas.prediction_columns import prediction_columns
from schemas.raw_columns import RawColumns
from serving.saved_model import checksums, digest

_SERVING = "Format-Serving"
_RETRIEVE = "retrieve"


def create_inference_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that predicts for the rows that `inference` names.

    Args:
        settings: validated settings.

    Raises:
        SettingsError: a dotted path leads nowhere, engine.nodes names no node, or inference.model no model.
        ReleaseError: there is no such release.
    """
    inference, table = settings.inference, _table(settings)
    data = inference.data(settings.data)
    if data.prepare is not None:
        check_function(data.prepare, "inference.prepare" if inference.prepare else "data.prepare")
    example_gen = InferenceExampleGen(
        data,
        table,
        inference.id_columns,
        prepared_dir=str(root(settings) / "prepared"),
    ).with_id(nodes.INFERENCE_EXAMPLE_GEN)
    depends_on(example_gen, code=code_fingerprint(["components.example_gen", "components.queries", "schemas"]))
    if data.prepare is not None:
        depends_on(example_gen, prepare=prepare_code(data.prepare))
    given = None if inference.model is None else _folder(settings, str(inference.model))
    model = _blessed(settings) if given is None else _given(given)
    label = settings.label
    columns = RawColumns.to_predict(table, inference.id_columns).columns
    inferrer = BulkInferrer(
        examples=example_gen.outputs["examples"],
        model=model.outputs["model" if given is None else "result"],
        inference=inference,
        columns=table.inputs,
        id_columns={name: columns[name] for name in inference.id_columns},
        named=prediction_columns(label),
        classes=label.class_names if isinstance(label, (IntegerLabel, OneHotLabel)) else (),
        releases_dir=str(root(settings) / "releases"),
        model_name=settings.model_name,
    ).with_id(nodes.BULK_INFERRER)
    packages = ["components.bulk_inferrer", "components.examples", "components.served_model", "serving", "schemas"]
    depends_on(inferrer, code=code_fingerprint(packages))
    if given is not None:
        # An imported artifact is known by its place; what is there may be another model by now.
        depends_on(inferrer, model=digest(checksums(given)))
    return assembled(settings, [example_gen, model, inferrer], nodes.OF_TRAINING)


def _table(settings: Settings) -> FeatureTable:
    """The features that the signature needs: of a recommender that is to retrieve candidates, those of the query."""
    table, towers = settings.table, settings.model.towers
    if towers is None or settings.inference.signature != _RETRIEVE:
        return table
    query = {name: feature for name, feature in table.features.items() if name not in towers.candidate}
    return table.model_copy(update={"features": query})


def _blessed(settings: Settings) -> BaseNode:
    return Resolver(
        strategy_class=LatestBlessedBeforeStrategy,
        config={"label": label_fingerprint(settings)},
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id(nodes.BLESSED_MODEL)


def _given(folder: Path) -> BaseNode:
    return Importer(source_uri=str(folder), artifact_type=Model).with_id(nodes.GIVEN_MODEL)


def _folder(settings: Settings, name: str) -> Path:
    """The SavedModel that inference.model names: a release's folder is one, a Model artifact's holds one."""
    folder = find_release(settings, name)
    inner = folder / _SERVING
    found = inner if inner.is_dir() else folder
    if not (found / "saved_model.pb").is_file():
        raise SettingsError(
            "inference.model names a folder that holds no SavedModel.",
            where="inference.model",
            received=str(found),
            fix="Name the version of a release, a folder with saved_model.pb, or that of a Model artifact.",
        )
    return found
