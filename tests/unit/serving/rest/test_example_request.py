from __future__ import annotations

import math

import pytest
from tensorflow.core.example.example_pb2 import Example

from serving.rest.example_request import read_examples
from serving.rest.json_document import parse_document
from serving.server.example_input import serialized_examples
from serving.server.request_error import RequestError


def read(text: str) -> list[Example]:
    body = text.encode()
    return [Example.FromString(one) for one in serialized_examples(read_examples(parse_document(body), body))]


def test_kinds_of_features() -> None:
    first, second = read(
        '{"examples": [{"names": ["foo", {"b64": "/w=="}], "ratings": [8.0, NaN, -Infinity, 1e39], "age": 20, '
        '"mix": [1, true, false], "none": []}, {"names": "baz", "ratings": 6.5}]}'
    )
    features = first.features.feature
    assert list(features["names"].bytes_list.value) == [b"foo", b"\xff"]
    ratings = list(features["ratings"].float_list.value)
    assert (ratings[0], ratings[2:], math.isnan(ratings[1])) == (8.0, [-math.inf, math.inf], True)
    assert list(features["age"].int64_list.value) == [20]
    assert list(features["mix"].int64_list.value) == [1, 1, 0]
    assert features["none"].WhichOneof("kind") is None
    assert list(second.features.feature["names"].bytes_list.value) == [b"baz"]
    assert list(second.features.feature["ratings"].float_list.value) == [6.5]


def test_the_context_is_part_of_every_example() -> None:
    first, second = read('{"context": {"q": "pizza"}, "examples": [{"n": 1}, {"q": "mine"}]}')
    assert sorted(first.features.feature) == ["n", "q"]
    assert list(first.features.feature["q"].bytes_list.value) == [b"pizza"]
    assert list(second.features.feature["q"].bytes_list.value) == [b"mine"]


def test_whole_numbers_of_64_bits() -> None:
    (found,) = read('{"examples": [{"n": [9223372036854775807, -9223372036854775808]}]}')
    assert list(found.features.feature["n"].int64_list.value) == [2**63 - 1, -(2**63)]
    # What has more bits is read as a decimal.
    (found,) = read('{"examples": [{"n": 18446744073709551616}]}')
    assert list(found.features.feature["n"].float_list.value) == [2.0**64]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "When method is classify, key 'examples' is expected and was not found"),
        ('{"examples": {"n": 1}}', "Expecting 'examples' value to be an list/array"),
        ('{"examples": []}', "'examples' value is an empty array"),
        ('{"examples": [[{"n": 1}]]}', "Example must be JSON object but got JSON Array"),
        ('{"context": [1], "examples": [{}]}', "Example must be JSON object but got JSON Array"),
        ('{"examples": [{"n": [10, null]}]}', "Feature: n has element with unexpected JSON type: Null"),
        ('{"examples": [{"n": [10, {"test": 10}]}]}', "Feature: n has element with unexpected JSON type: Object"),
        ('{"examples": [{"n": [[10], 20]}]}', "Feature: n has element with unexpected JSON type: Array"),
        ('{"examples": [{"n": [10, 10.0]}]}', "Unexpected element type in feature: n expecting type: int64"),
        ('{"examples": [{"n": [10.0, 10]}]}', "Unexpected element type in feature: n expecting type: float"),
        ('{"examples": [{"n": ["a", true]}]}', "Unexpected element type in feature: n expecting type: bytes"),
        (
            '{"examples": [{"n": [2, 18446744073709551615]}]}',
            "n has uint64_t element. Only int64_t is supported.",
        ),
        (
            '{"examples": [{"n": [18446744073709551615, 1.0]}]}',
            "n has uint64_t element. Only int64_t is supported.",
        ),
        ('{"examples": [{"n": [1.0, 18446744073709551615]}]}', "feature: n expecting type: float"),
        ('{"examples": [{"n": [Infinity, 1e400]}]}', "Number too big to be stored in double."),
        (f'{{"examples": [{{"n": 1{"0" * 400}}}]}}', "Number too big to be stored in double."),
        ('{"examples": [{"n": {"b64": "a"}}]}', "Unable to base64 decode"),
        ('{"examples": [{"\\ud800": 1}]}', "The surrogate pair in string is invalid."),
    ],
)
def test_requests_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as error:
        read(text)
    assert error.value.code.name == "INVALID_ARGUMENT"
    assert message in error.value.message
