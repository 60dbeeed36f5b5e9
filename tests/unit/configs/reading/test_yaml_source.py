from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from configs.reading import yaml_source
from configs.reading.located import Mistake, Place
from configs.reading.yaml_source import parse_yaml
from schemas.errors import SettingsError


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "Loader", yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader)


def plain(text: str) -> object:
    tree, mistakes = parse_yaml(text, "f.yaml")
    assert mistakes == []
    return tree.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-7", -7),
        ("0", 0),
        ("0x1f", 31),
        ("0o17", 15),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("tRue", "tRue"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-31", "2024-01-31"),
        ("0b11", "0b11"),
        ("'12'", "12"),
        ('"null"', "null"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 3", 3.0),
        ("! 12", "12"),
    ],
)
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = plain(f"key: {text}")
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


def test_nan_is_a_float() -> None:
    found = plain("[.nan, .NaN]")
    assert isinstance(found, list)
    assert all(math.isnan(value) for value in found)


def test_keys_are_always_text() -> None:
    assert plain("{1: a, yes: b, null: c, 2.5: d, 012: e}") == {
        "1": "a",
        "yes": "b",
        "null": "c",
        "2.5": "d",
        "012": "e",
    }


def test_every_value_and_key_knows_its_place() -> None:
    tree, _ = parse_yaml("a:\n  b: [x,\n      y]\n", "f.yaml")
    inner = tree.child("a")
    assert inner is not None
    b = inner.child("b")
    assert b is not None
    y = b.child(1)
    assert y is not None
    assert (str(b.key), str(b.place), str(y.place)) == (
        "f.yaml, line 2, column 3",
        "f.yaml, line 2, column 6",
        "f.yaml, line 3, column 7",
    )


def test_a_key_written_twice_names_both_lines() -> None:
    tree, mistakes = parse_yaml("a:\n  x: 1\n  y: 2\n  x: 3\n", "f.yaml")
    assert tree.plain() == {"a": {"x": 1, "y": 2}}
    assert [str(found.error) for found in mistakes] == [
        "The key 'x' is written twice, in lines 2 and 4.\n  Where: f.yaml, line 4, column 3 (a.x)\n"
        "  Fix: Keep one of the two."
    ]


@pytest.mark.parametrize(
    ("text", "octal", "decimal"), [("012", "10", "12"), ("-007", "-7", "-7"), ("089", "text", "89")]
)
def test_a_leading_zero_is_ambiguous(text: str, octal: str, decimal: str) -> None:
    _, mistakes = parse_yaml(f"a: {text}", "f.yaml")
    assert mistakes[0].error.what == f"{text} means {octal} to some readers of YAML and {decimal} to others."
    assert mistakes[0].error.where == "f.yaml, line 1, column 4 (a)"


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!foo", "!!binary", "!!timestamp"])
@pytest.mark.parametrize("value", ["[a]", "{a: 1}", "text"])
def test_other_tags_are_refused(tag: str, value: str) -> None:
    _, mistakes = parse_yaml(f"a: {tag} {value}", "f.yaml")
    assert [found.error.what for found in mistakes] == [f"The tag {tag} is not known here."]


def test_a_value_that_its_tag_cannot_read_is_a_mistake() -> None:
    _, mistakes = parse_yaml("a: !!int x\nb: !!bool 3", "f.yaml")
    assert [found.place.line for found in mistakes] == [1, 2]


def test_anchors_and_merge_keys() -> None:
    text = "a: &base {x: 1, y: 2}\nb: {<<: *base, y: 3}\nc: *base\nd: {<<: [*base, {z: 4}]}"
    assert plain(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
        "d": {"x": 1, "y": 2, "z": 4},
    }


def test_a_merge_key_needs_a_mapping() -> None:
    _, mistakes = parse_yaml("a: {<<: 3}", "f.yaml")
    assert mistakes[0].error.what == "The merge key << takes an alias of a mapping."


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("a: &a [*a]", "The alias *a has no finished value", "line 1, column 8"),
        ("a:\n- *b", "The alias *b has no finished value", "line 2, column 3"),
        ("? [a]\n: 1", "A key must be plain text.", "line 1, column 3"),
        ("a: 1\n---\nb: 2", "more than one YAML document", "line 2, column 1"),
        ("a: b: c", "mapping values are not allowed", "line 1, column 5"),
        ('a: 1\nb: "x', "end of stream", ""),
        ("a: \x07", "a character that is not text", "line 1, column 4"),
        ("a:\n  - \udc80", "a character that is not text", "line 2, column 5"),
        ("[" * 500, "nest deeper than 50 levels", "line 1, column 52"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(text: str, what: str, where: str) -> None:
    with pytest.raises(SettingsError, match=r"The|A key") as caught:
        parse_yaml(text, "f.yaml")
    assert what in caught.value.what
    assert where in caught.value.where


def test_tabs_are_named() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_yaml("a:\n\tb: 1", "f.yaml")
    assert caught.value.fix == "Indent with spaces, not with tabs."
    assert "line 2" in caught.value.where


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("a: `Trip Total` > '3'  # dollars", ": '`Trip Total` > ''3'''."),
        ("a: [`b`]", "in single quotes."),
        ("a: @b", ": '@b'."),
        ("a: `mysql://ml:hunter2@db/ml`", ": '`mysql://ml:***@db/ml`'."),
        ("a: @https://host?token=hunter2", ": '@https://host?token=***'."),
    ],
)
def test_a_text_that_begins_with_a_sign_that_yaml_keeps_is_shown_in_quotes(text: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_yaml(text, "f.yaml")
    assert caught.value.fix.startswith(f"YAML lets no text begin with {text.strip('a: [')[0]}: put the whole text")
    assert caught.value.fix.endswith(fix)


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(SettingsError, match="expand to more than 1000000 values") as caught:
        parse_yaml("\n".join(lines), "f.yaml")
    assert "line 6" in caught.value.where


def test_endless_nesting_is_an_error_by_our_limit_or_by_libyamls() -> None:
    with pytest.raises(SettingsError, match="nest"):
        parse_yaml("[" * 100_000, "f.yaml")


def test_aliases_cannot_nest_too_deep() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60))]
    with pytest.raises(SettingsError, match="or 50 levels"):
        parse_yaml("\n".join(lines), "f.yaml")


# json writes a character above U+FFFF as two escapes, which YAML does not take for one.
TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_is_yaml(value: object) -> None:
    assert plain(json.dumps({"value": value})) == {"value": value}


def test_half_a_character_is_refused() -> None:
    try:
        _, mistakes = parse_yaml('a: "\\ud83d"', "f.yaml")
    except SettingsError as error:
        mistakes = [Mistake(Place("f.yaml"), ("a",), error)]
    assert "line 1" in mistakes[0].error.where
