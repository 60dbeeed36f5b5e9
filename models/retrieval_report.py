"""How well a recommender finds what was wanted, among all candidates."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import tensorflow as tf

from models.catalogue import Catalogue
from models.index import Index
from models.input_fn import Split
from models.recall import recall_at
from models.two_tower import TwoTower
from schemas.transformed import LABEL_KEY

FILE = "retrieval.json"
_LOG = logging.getLogger(__name__)
_AT_ONCE = 1024


@dataclass(frozen=True)
class RetrievalReport:
    """Figures of the rows of a split whose candidate was wanted; one that is not in the catalogue is missed.

    Attributes:
        queries: number of such rows.
        candidates: number of candidates searched.
        recall: {k: share of the queries whose candidate is among the k best}.
        popular: the same if everyone were recommended those candidates that most training rows wanted.
    """

    queries: int
    candidates: int
    recall: dict[int, float]
    popular: dict[int, float]

    @classmethod
    def of(
        cls,
        model: TwoTower,
        index: Index,
        catalogue: Catalogue,
        split: Split,
        query: Sequence[str],
        depths: Sequence[int],
    ) -> RetrievalReport:
        """Searches for every query of a split.

        Args:
            model: the trained model.
            index: its candidates.
            catalogue: the same candidates, in the same order.
            split: rows that were not trained on.
            query: keys of the query's features.
            depths: values of k.
        """
        keys = (*query, catalogue.identity, LABEL_KEY)
        rows = split.read(keys)
        wanted = np.flatnonzero(rows[LABEL_KEY].ravel() == 1)
        targets = rows[catalogue.identity][wanted].ravel().astype(np.int64)
        found = [
            index.search(model.query({key: rows[key][some] for key in query}))[1].numpy()
            for some in np.array_split(wanted, range(_AT_ONCE, len(wanted), _AT_ONCE))
        ]
        popular = catalogue.ids[np.argsort(-catalogue.wanted, kind="stable")[: max(depths)]]
        return cls(
            queries=len(wanted),
            candidates=len(catalogue.ids),
            recall=recall_at(catalogue.ids[np.concatenate(found)], targets, depths),
            popular=recall_at(np.tile(popular, (len(targets), 1)), targets, depths),
        )

    def write(self, folder: str, step: int) -> None:
        """Puts the figures into the log, into retrieval.json and among TensorBoard's.

        Args:
            folder: the run's folder.
            step: steps trained.
        """
        text = json.dumps(asdict(self))
        _LOG.info("Retrieval: %s", text)
        tf.io.gfile.makedirs(folder)
        with tf.io.gfile.GFile(os.path.join(folder, FILE), "w") as file:
            file.write(text + "\n")
        for name, recall in (("retrieval", self.recall), ("popular", self.popular)):
            with tf.summary.create_file_writer(os.path.join(folder, name)).as_default(step):
                for depth, value in recall.items():
                    tf.summary.scalar(f"recall_at_{depth}", value)
