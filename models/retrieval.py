"""What a recommender needs beside its training: its candidates before, its figures and its search afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow_transform as tft

from configs.towers import Towers
from models.catalogue import Catalogue, candidate_inputs, candidate_names, identity_of
from models.index import Index
from models.input_fn import Split
from models.network import feature_keys
from models.retrieval_report import RetrievalReport
from models.two_tower import TwoTower
from schemas.features import Cross, FeatureTable
from schemas.transformed import ModelInput


class Retrieval:
    """The candidates of a two-tower model.

    Args:
        model: the model, before it is trained: it is told how often each candidate is in the training rows.
        inputs: the model's inputs.
        towers: which of them are the candidate's.
        table: the feature table.
        transform: for the raw values of candidates.
        train: the training rows.

    Attributes:
        columns: the raw columns that the query's features read, in the order of the table's inputs.
    """

    def __init__(
        self,
        model: TwoTower,
        inputs: Sequence[ModelInput],
        towers: Towers,
        table: FeatureTable,
        transform: tft.TFTransformOutput,
        train: Split,
    ) -> None:
        candidate = candidate_inputs(inputs, towers)
        names = candidate_names(table, towers, transform)
        self.columns = _query_columns(table, towers)
        self._model, self._depths = model, towers.depths
        self._query = feature_keys([one for one in inputs if one not in candidate])
        self._catalogue = Catalogue.of(train, candidate, names, identity_of(candidate, towers))
        model.log_frequency.adapt(self._catalogue.counts)

    def finish(self, evaluation: Split, run_dir: str) -> Index:
        """Reports recall at k on the rows that were kept aside.

        Args:
            evaluation: those rows.
            run_dir: the folder of `retrieval.json` and of TensorBoard's files.

        Returns:
            The candidates of the trained model, for the export.
        """
        index = Index(self._model, self._catalogue, max(self._depths))
        report = RetrievalReport.of(self._model, index, self._catalogue, evaluation, self._query, self._depths)
        report.write(run_dir, int(self._model.optimizer.iterations.numpy()))
        return index


def _query_columns(table: FeatureTable, towers: Towers) -> tuple[str, ...]:
    read = {
        spec.column or name
        for name, spec in table.features.items()
        if name not in towers.candidate and not isinstance(spec, Cross)
    }
    return tuple(name for name in table.inputs if name in read)
