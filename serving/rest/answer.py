"""What a REST request is answered with."""

from __future__ import annotations

from dataclasses import dataclass

from serving.rest.json_answer import error_json


@dataclass(frozen=True)
class Answer:
    """What goes back.

    Attributes:
        status: of HTTP.
        body: JSON, or the text of another type.
        content_type: of the body.
    """

    status: int
    body: bytes
    content_type: str = "application/json"


def failure(status: int, message: str) -> Answer:
    """An error, as every path answers it."""
    return Answer(status, error_json(message))
