from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from configs.reading.located import Located
from configs.reading.overlay import merge, parse_override
from configs.reading.yaml_source import parse_yaml
from schemas.errors import SettingsError

KEY = st.sampled_from(["a", "b", "c"])
SCALAR = st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2) | st.text("xy", max_size=2)
TREE = st.recursive(SCALAR, lambda inner: st.dictionaries(KEY, inner, max_size=3), max_leaves=12)
MAPPING = st.dictionaries(KEY, TREE, max_size=3)
DEEP = st.fixed_dictionaries(
    {}, optional={"a": SCALAR, "b": st.fixed_dictionaries({}, optional={"a": SCALAR, "b": SCALAR}), "c": SCALAR}
)


def located(value: Any) -> Located:
    return parse_yaml(json.dumps(value), "f.yaml")[0]


def merged(*values: Any) -> Any:
    tree = located(values[0])
    for value in values[1:]:
        tree = merge(tree, located(value))
    return tree.plain()


def test_mappings_merge_and_everything_else_replaces() -> None:
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 3, "c": {"z": 1}}
    assert merged(base, {"a": {"y": [3]}, "c": 5, "d": {"w": 1}}) == {
        "a": {"x": 1, "y": [3]},
        "b": 3,
        "c": 5,
        "d": {"w": 1},
    }


def test_a_null_over_an_entry_takes_it_away() -> None:
    tree = merge(located({"a": {"b": 1}}), located({"a": {"b": None, "c": None}}))
    inner = tree.child("a")
    assert inner is not None
    b, c = inner.child("b"), inner.child("c")
    assert b is not None
    assert c is not None
    assert (b.takes_away, c.takes_away) == (True, False)


def test_another_kind_replaces_the_whole_mapping() -> None:
    base = {"x": {"kind": "numeric", "log": True}}
    assert merged(base, {"x": {"kind": "bucketized", "buckets": 4}}) == {"x": {"kind": "bucketized", "buckets": 4}}
    assert merged(base, {"x": {"kind": "numeric", "fill": 0}}) == {"x": {"kind": "numeric", "log": True, "fill": 0}}
    assert merged(base, {"x": {"fill": 0}}) == {"x": {"kind": "numeric", "log": True, "fill": 0}}
    assert merged({"x": {"log": True}}, {"x": {"kind": "numeric"}}) == {"x": {"log": True, "kind": "numeric"}}


def test_a_mapping_within_another_kind_merges_with_nothing() -> None:
    base = {"x": {"kind": "a", "y": {"kind": "c", "z": 1}}}
    assert merged(base, {"x": {"kind": "b"}}, {"x": {"y": {"w": 2}}}) == {"x": {"kind": "b", "y": {"w": 2}}}
    assert merged(base, {"x": {"kind": "b", "y": {"w": 2}}}) == {"x": {"kind": "b", "y": {"w": 2}}}


def test_an_entry_named_kind_is_not_a_kind() -> None:
    base = {"features": {"kind": {"kind": "text"}, "y": 1}}
    assert merged(base, {"features": {"kind": {"kind": "image"}}}) == {"features": {"kind": {"kind": "image"}, "y": 1}}


@pytest.mark.parametrize("section", ["runner", "engine"])
def test_another_runner_or_engine_keeps_the_other_keys(section: str) -> None:
    assert merged({section: {"kind": "a", "x": 1}}, {section: {"kind": "b"}}) == {section: {"kind": "b", "x": 1}}


def test_values_keep_the_place_where_they_were_written() -> None:
    base, _ = parse_yaml("a: 1\nb: 2", "base.yaml")
    over, _ = parse_yaml("b: 3", "over.yaml")
    tree = merge(base, over)
    assert [str(child.place.source) for child in (tree.child("a"), tree.child("b")) if child] == [
        "base.yaml",
        "over.yaml",
    ]


@given(MAPPING)
def test_nothing_over_settings_changes_nothing(base: Any) -> None:
    assert merged(base, {}) == base


@given(MAPPING)
def test_settings_over_themselves_change_nothing(base: Any) -> None:
    assert merged(base, base) == base


@given(MAPPING, MAPPING)
def test_the_overlay_wins(base: Any, over: Any) -> None:
    result = merged(base, over)
    assert set(result) == {*base, *over}
    for key, value in over.items():
        if not isinstance(value, dict):
            assert result[key] == value


@given(DEEP, DEEP, DEEP)
def test_merging_is_associative_where_each_key_keeps_its_type(one: Any, two: Any, three: Any) -> None:
    # Where a mapping is first replaced by a number and then by a mapping again, the order matters: left to right.
    left = merge(merge(located(one), located(two)), located(three))
    right = merge(located(one), merge(located(two), located(three)))
    assert left.plain() == right.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=3", {"a": {"b": 3}}),
        ("a=1e-3", {"a": 0.001}),
        ("a=", {"a": None}),
        ("a=null", {"a": None}),
        ("a=x=y", {"a": "x=y"}),
        ("a=[[b, c], [d]]", {"a": [["b", "c"], ["d"]]}),
        ("a={b: 1}", {"a": {"b": 1}}),
        ("a=tips > 0.2 * fare", {"a": "tips > 0.2 * fare"}),
        ('a="x: y"', {"a": "x: y"}),
        ('a."b.c".d=1', {"a": {"b.c": {"d": 1}}}),
        ("a.'b=c'=1", {"a": {"b=c": 1}}),
        ("a . b = 3", {"a": {"b": 3}}),
        ("a-b=/x/y z", {"a-b": "/x/y z"}),
    ],
)
def test_override(text: str, value: Any) -> None:
    tree, mistakes = parse_override(text)
    assert (tree.plain(), mistakes) == (value, [])
    assert str(tree.place) == f"--set {text}"


@pytest.mark.parametrize("text", ["", "a", "a.b", "=3", ".a=3", "a.=3", "a..b=3", "a[0]=3", "a.'=3", "a b=3"])
def test_an_override_that_is_not_key_and_value_is_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match="not KEY=VALUE") as caught:
        parse_override(text)
    assert caught.value.where == f"--set {text}"
    assert caught.value.fix


def test_a_list_index_says_that_lists_are_replaced() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_override("evaluation.slices[0]=[a]")
    assert "A list is replaced as a whole" in caught.value.fix


def test_a_value_that_is_not_yaml_names_the_override() -> None:
    with pytest.raises(SettingsError, match="not valid YAML") as caught:
        parse_override("a=[1, 2")
    assert caught.value.where == "--set a=[1, 2"


def test_a_mistake_in_a_value_has_the_whole_path() -> None:
    _, mistakes = parse_override("a.b={c: 012}")
    assert mistakes[0].path == ("a", "b", "c")


def test_a_password_is_not_in_the_place() -> None:
    tree, _ = parse_override("metadata.url=mysql://me:hunter2@host/db")
    assert str(tree.place) == "--set metadata.url=mysql://me:***@host/db"


@pytest.mark.slow
@given(st.lists(st.text("ab.=\" '-é", min_size=1), min_size=1, max_size=4), TREE)
def test_any_key_can_be_given_in_quotes_and_any_value_as_json(keys: list[str], value: Any) -> None:
    assume(not any('"' in key for key in keys))
    text = ".".join(f'"{key}"' for key in keys) + "=" + json.dumps(value)
    tree, mistakes = parse_override(text)
    expected = value
    for key in reversed(keys):
        expected = {key: expected}
    assert (tree.plain(), mistakes) == (expected, [])
