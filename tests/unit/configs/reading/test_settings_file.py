from __future__ import annotations

import os
from pathlib import Path

import pytest

from configs.reading.settings_file import read_yaml
from schemas.errors import SettingsError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def error(file: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_yaml(Path(file))
    return caught.value


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read() -> None:
    Path("a.yaml").write_bytes("\ufeffname: é\r\nb: 2\r\n".encode())
    tree, mistakes = read_yaml(Path("a.yaml"))
    assert (tree.plain(), mistakes) == ({"name": "é", "b": 2}, [])


def test_a_missing_file_names_the_nearest_one() -> None:
    Path("taxi.yaml").write_text("a: 1")
    found = error("taxy.yaml")
    assert (found.what, found.where, found.fix) == (
        "There is no such settings file.",
        "taxy.yaml",
        "Did you mean taxi.yaml?",
    )


def test_a_missing_file_lists_what_is_there() -> None:
    Path("b.yml").write_text("a: 1")
    assert error("somethingelse.yaml").fix == "There are: b.yml"


def test_a_missing_file_in_an_empty_folder(tmp_path: Path) -> None:
    assert error("a.yaml").fix == f"There is no YAML file in {tmp_path.resolve()}."


def test_a_missing_folder_is_named() -> None:
    assert error("no/such/a.yaml").fix.startswith("The folder no/such does not exist either")


def test_a_folder_lists_its_files() -> None:
    Path("d").mkdir()
    Path("d/x.yaml").write_text("a: 1")
    found = error("d")
    assert (found.what, found.fix) == ("The settings file is a folder.", "Name a file in it: x.yaml")


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_file(content: str) -> None:
    Path("a.yaml").write_text(content)
    assert error("a.yaml").what == "The settings file is empty."


@pytest.mark.parametrize(("content", "received"), [("- a\n- b", '["a", "b"]'), ("text", "'text'"), ("3", "3")])
def test_what_is_not_a_mapping(content: str, received: str) -> None:
    Path("a.yaml").write_text(content)
    found = error("a.yaml")
    assert (found.what, found.where, found.received) == (
        "The settings file does not hold a mapping.",
        "a.yaml, line 1, column 1",
        received,
    )


def test_a_file_that_is_not_utf_8_names_the_line() -> None:
    Path("a.yaml").write_bytes(b"name: a\nb: caf\xe9\n")
    found = error("a.yaml")
    assert (found.what, found.where, found.received) == (
        "The settings file is not UTF-8 text.",
        "a.yaml, line 2, column 7",
        "byte 0xe9",
    )


def test_utf_16_is_not_utf_8() -> None:
    Path("a.yaml").write_bytes("name: a".encode("utf-16"))
    assert error("a.yaml").what == "The settings file is not UTF-8 text."


def test_a_binary_file() -> None:
    Path("a.yaml").write_bytes(b"PK\x03\x04" + bytes(range(32)))
    assert error("a.yaml").what == "The settings hold a character that is not text."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read() -> None:
    Path("a.yaml").write_text("a: 1")
    Path("a.yaml").chmod(0)
    assert error("a.yaml").received == "Permission denied"


def test_a_path_through_a_file() -> None:
    Path("a.yaml").write_text("a: 1")
    assert error("a.yaml/b.yaml").received == "Not a directory"
