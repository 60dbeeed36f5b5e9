"""Asks a server what the model itself has answered already."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from components.smoke_check.comparison import differences
from components.smoke_check.question import Question
from components.smoke_check.report import Latency, Mismatch
from schemas.errors import DataError, ScalableTFError, ServingError
from serving.client.columns import Columns
from serving.client.prediction import Prediction
from serving.client.signature import Signature

_SHOWN = 500  # characters of an error


class Client(Protocol):
    """RestClient or GrpcClient."""

    def signature(self, name: str = "") -> Signature:
        """A signature of the model."""

    def predict(self, columns: Columns, *, signature: str = "") -> Prediction:
        """Predictions for rows."""


@dataclass
class Answers:
    """What came of asking by one protocol.

    Attributes:
        protocol: its name.
        tolerance: how far numbers may differ.
        requests: by signature.
        mismatches: every value that differs.
        refusals: what was not answered at all, a line each.
    """

    protocol: str
    tolerance: float
    requests: dict[str, int] = field(default_factory=dict)
    mismatches: list[Mismatch] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def ask(self, client: Client, question: Question, expected: Columns, rows: int) -> None:
        """Asks for each row alone, and for all together.

        Args:
            client: of the protocol.
            question: with all rows.
            expected: outputs of the model itself, for all rows in one batch.
            rows: how many.
        """
        for place in range(rows):
            # An output that is not by rows is one of the batch: of a request with other rows it may be another.
            alone = {key: values[place : place + 1] for key, values in expected.items() if _is_by_rows(values, rows)}
            if not self._ask(client, question.row(place), alone, [place]):
                return  # the others would be refused like it
        if rows > 1:
            self._ask(client, question, expected, list(range(rows)))

    def _ask(self, client: Client, question: Question, expected: Columns, rows: Sequence[int]) -> bool:
        self.requests[question.signature] = self.requests.get(question.signature, 0) + 1
        try:
            answer = client.predict(dict(question.inputs), signature=question.signature)
        except (ServingError, DataError) as error:
            asked = f"row {rows[0]}" if len(rows) == 1 else f"{len(rows)} rows"
            self.refusals.append(f"{self.protocol}, {question.signature}, {asked}: {in_a_line(error)}")
            return False
        self.mismatches += [
            Mismatch(
                protocol=self.protocol,
                signature=question.signature,
                output=one.output,
                row=one.row,
                together=len(rows),
                expected=one.expected,
                received=one.received,
            )
            for one in differences(expected, answer.outputs, rows, self.tolerance)
        ]
        return True


def latency(client: Client, question: Question, rows: int, requests: int) -> Latency:
    """How long requests of one row take, the rows in turn.

    Args:
        client: that has asked before.
        question: with all rows.
        rows: how many.
        requests: how many.

    Raises:
        ServingError: one is not answered.
    """
    alone = [dict(question.row(place).inputs) for place in range(rows)]
    seconds = []
    for number in range(requests):
        began = time.perf_counter()
        client.predict(alone[number % rows], signature=question.signature)
        seconds.append(time.perf_counter() - began)
    p50, p99 = (round(1000 * float(np.percentile(seconds, share)), 3) for share in (50, 99))
    return Latency(p50=p50, p99=p99, requests=requests)


def in_a_line(error: ScalableTFError) -> str:
    """What happened and what was received; where that is long, its end, which says most of a server's log."""
    received = " ".join((error.received or "").split())
    return f"{error.what} {received if len(received) <= _SHOWN else '... ' + received[-_SHOWN:]}".strip()


def _is_by_rows(values: npt.NDArray[Any], rows: int) -> bool:
    return values.ndim > 0 and len(values) == rows
