"""InferenceExampleGen: rows to predict for, as ExampleGen reads rows to train on."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.dsl.components.base import executor_spec

from components.example_gen.component import ExampleGen
from components.example_gen.inference_driver import Driver, Executor
from configs.data import Data
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns


class InferenceExampleGen(ExampleGen):
    """Ingests rows to predict for, which need no label.

    Output `examples` as of ExampleGen, with one split, `all`, and one column more, the id of each row, as
    `components.example_gen.row_ids` makes them. What TFRecords and files of typed columns hold besides the columns that
    features read, and the copied ones, is left out.

    Args:
        data: where rows come from, as `configs.inference` gives it: with one split.
        table: the feature table: what is read, in which types; its label is not.
        copied: raw columns that predictions are to be given with.
        prepared_dir: as of ExampleGen.

    Raises:
        DataError: the path is a pattern that has no meaning.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        data: Data,
        table: FeatureTable,
        copied: Sequence[str] = (),
        prepared_dir: str | None = None,
    ) -> None:
        self._read(data, RawColumns.to_predict(table, copied), prepared_dir)
