"""What a user reads about an answer that is none."""

from __future__ import annotations

import pytest

from runners.kubeflow.service.refusal import refused, unreachable
from schemas.errors import from_dict

PLACE = "GET https://pipelines/apis/v2beta1/runs"


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (400, "The server does not take the request."),
        (401, "The server does not know who asks."),
        (403, "The server does not allow this."),
        (404, "The server knows no such thing."),
        (409, "There is already one of that name."),
        (429, "The server has too many requests to answer."),
        (500, "The API server failed."),
        (418, "The server answered with 418."),
    ],
)
def test_each_status_has_its_words(status: int, what: str) -> None:
    error = refused(status, b'{"message": "why"}', "application/json", PLACE)

    assert (error.what, error.where, error.received, error.status) == (what, PLACE, f"{status}: why", status)
    assert error.fix


def test_the_message_is_found_in_each_of_the_servers_forms() -> None:
    bodies = [b'{"message": "why"}', b'{"error_message": "why", "error_details": "x"}', b'{"error": "why"}', b"why\n"]

    assert {refused(400, body, "", PLACE).received for body in bodies} == {"400: why"}


def test_a_page_is_known_by_its_type_or_its_beginning() -> None:
    for kind, body in (("text/html", b"hello"), ("", b"  <!DOCTYPE html><title>Sign in</title>")):
        assert refused(200, body, kind, PLACE).what == "A web page came instead of an answer of the API."


def test_an_error_survives_the_way_to_another_process() -> None:
    assert str(from_dict(unreachable(PLACE, "refused", "fix").to_dict())) == str(unreachable(PLACE, "refused", "fix"))
