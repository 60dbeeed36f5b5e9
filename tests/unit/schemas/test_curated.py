from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas import curated
from schemas.curated import load_schema, save_schema
from schemas.errors import SchemaError

TEXT = """# Reviewed by the data team.
# Second line.

feature {
  # Lost when the file is rewritten.
  name: "fare"
  type: FLOAT
  annotation { comment: "US dollars" }
}
"""


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "schema.pbtxt"
    path.write_text(TEXT)
    return path


def test_a_schema_is_read(file):
    assert [(feature.name, feature.type) for feature in load_schema(file).feature] == [("fare", schema_pb2.FLOAT)]


def test_comments_at_the_top_and_annotations_survive_a_rewrite(file):
    schema = load_schema(file)
    schema.feature.add(name="tips", type=schema_pb2.FLOAT)
    save_schema(schema, file)
    text = file.read_text()
    assert text.startswith("# Reviewed by the data team.\n# Second line.\n\nfeature {\n")
    assert "US dollars" in text
    assert "Lost" not in text
    assert load_schema(file) == schema


def test_a_new_file_is_made_with_its_folders(tmp_path):
    schema = schema_pb2.Schema(feature=[schema_pb2.Feature(name="a", type=schema_pb2.INT)])
    save_schema(schema, tmp_path / "new" / "schema.pbtxt")
    assert load_schema(tmp_path / "new" / "schema.pbtxt") == schema


def test_a_rewrite_keeps_the_mode_and_the_link(file, tmp_path):
    file.chmod(0o640)
    link = tmp_path / "link.pbtxt"
    link.symlink_to(file)
    save_schema(load_schema(link), link)
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("text", "where", "received", "fix"),
    [
        ('feature {\n  name: "a"\n  tpye: INT\n}\n', "line 3", "tpye: INT", "Did you mean type?"),
        ('feature {\n  name: "a"\n  type: INTT\n}\n', "line 3", "type: INTT", "INTT"),
        (
            'feature {\n  name: "a"\n  int_domain { minn: 3 }\n}\n',
            "line 3",
            "int_domain { minn: 3 }",
            "Did you mean min?",
        ),
        ("feature {\n", "line", None, "}"),
        ("", "", None, "schema infer"),
        ('feature { name: "a" }\nfeature { name: "a" }', "", "a", "Remove one"),
        ("feature { type: INT }", "", None, "name:"),
        ('feature { name: "a" domain: "paym" }\nstring_domain { name: "pay" }', "feature 'a'", "paym", "'pay'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(file, text, where, received, fix):
    file.write_text(text)
    with pytest.raises(SchemaError) as caught:
        load_schema(file)
    assert caught.value.where.startswith(str(file))
    assert where in caught.value.where
    assert received is None or caught.value.received == received
    assert fix in caught.value.fix


def test_no_file_is_refused_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(SchemaError, match="schema infer -c FILE -o"):
        load_schema(tmp_path / "none.pbtxt")


def test_a_binary_file_is_refused(file):
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match="cannot be read"):
        load_schema(file)


def test_a_read_only_file_stays_as_it_is(file):
    schema = load_schema(file)
    file.chmod(0o444)
    with pytest.raises(SchemaError, match="copy it into your project"):
        save_schema(schema, file)
    assert file.read_text() == TEXT


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(file, monkeypatch):
    schema = load_schema(file)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(curated.os, "fsync", full)
    with pytest.raises(SchemaError, match="No space left"):
        save_schema(schema, file)
    assert file.read_text() == TEXT
    assert os.listdir(file.parent) == [file.name]


@given(names=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True), value=st.text(max_size=8))
def test_what_is_written_is_what_is_read(tmp_path_factory, names, value):
    schema = schema_pb2.Schema()
    for name in names:
        schema.feature.add(name=name, type=schema_pb2.BYTES).string_domain.value.append(value)
    path = tmp_path_factory.mktemp("schema") / "schema.pbtxt"
    save_schema(schema, path)
    assert load_schema(path) == schema
    assert text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema()) == schema
