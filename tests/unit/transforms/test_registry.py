from __future__ import annotations

import typing

import pytest

from schemas.features import Feature, Hashed
from transforms.preprocessing import KINDS
from transforms.registry import Registry


def test_every_kind_of_the_feature_table_has_a_function():
    union = typing.get_args(Feature)[0]
    assert set(KINDS) == set(typing.get_args(union))


def test_functions_are_named_after_their_kind():
    assert {function.__name__ for function in KINDS.values()} == {spec.__name__.lower() for spec in KINDS}


def test_a_second_function_is_refused():
    with pytest.raises(ValueError, match="Hashed has two functions. Received: one and two"):
        Registry([(Hashed, _one), (Hashed, _two)])


def _one(values, spec, name):
    return {}


def _two(values, spec, name):
    return {}


_one.__name__, _two.__name__ = "one", "two"
