"""What a user's function makes of the data: once, whole or not at all."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from components.example_gen.prepared import prepared
from schemas.errors import DataError, SettingsError

CODE = '''
import os, signal, time
from pathlib import Path

CALLS = []

def prepare(source, target):
    """It is a file of words."""
    CALLS.append(source)
    text = source.read_text() if source.is_file() else "".join(p.read_text() for p in sorted(source.iterdir()))
    (target / "words.csv").write_text("word\\n" + text.replace(" ", "\\n"))

def two(source, target):
    prepare(source, target)
    (target / "more.csv").write_text("word\\n")

def nothing(source, target):
    (target / "words.txt").write_text("")

def fails(source, target):
    (target / "half.csv").write_text("a")
    raise KeyError("word")

def full(source, target):
    with open("/dev/full", "w") as file:
        file.write("a")

def meddles(source, target):
    prepare(source, target)
    source.write_text("other")

def killed(source, target):
    (target / "half.csv").write_text("a")
    os.kill(os.getpid(), signal.SIGKILL)

constant = 1
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"stf_words_{request.node.name.partition('[')[0]}"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / f"{name}.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path / "code")
    return name


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "words.txt").write_text("to be")
    return tmp_path / "words.txt"


def test_it_holds_what_the_function_wrote(module: str, source: Path, tmp_path: Path) -> None:
    folder = prepared(source, f"{module}.prepare", tmp_path / "out")
    assert {path.name: path.read_text() for path in folder.glob("[!.]*")} == {"words.csv": "word\nto\nbe"}
    assert folder.parent == tmp_path / "out"


def test_the_function_is_called_once(module: str, source: Path, tmp_path: Path) -> None:
    first = prepared(source, f"{module}.prepare", tmp_path / "out")
    os.utime(source, ns=(0, 0))
    assert prepared(source, f"{module}.prepare", tmp_path / "out") == first
    assert [source] == importlib.import_module(module).CALLS


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("word\nto")], ids=["removed", "cut"])
def test_a_folder_that_is_no_longer_whole_is_made_anew(
    damage: Callable[[Path], object], module: str, source: Path, tmp_path: Path
) -> None:
    folder = prepared(source, f"{module}.two", tmp_path / "out")
    damage(folder / "words.csv")
    assert prepared(source, f"{module}.two", tmp_path / "out") == folder
    assert {path.name: path.read_text() for path in folder.glob("[!.]*")} == {
        "words.csv": "word\nto\nbe", "more.csv": "word\n",
    }  # fmt: skip
    assert sorted(path.name for path in folder.parent.iterdir()) == [".lock", folder.name]


def test_other_content_is_prepared_anew(module: str, source: Path, tmp_path: Path) -> None:
    first = prepared(source, f"{module}.prepare", tmp_path / "out")
    source.write_text("or not")
    second = prepared(source, f"{module}.prepare", tmp_path / "out")
    assert (second / "words.csv").read_text() == "word\nor\nnot"
    assert first.is_dir()


def test_other_code_prepares_anew(module: str, source: Path, tmp_path: Path) -> None:
    first = prepared(source, f"{module}.prepare", tmp_path / "out")
    with (tmp_path / "code" / f"{module}.py").open("a") as file:
        file.write("# changed\n")
    assert prepared(source, f"{module}.prepare", tmp_path / "out") != first


def test_a_file_that_moves_inside_a_folder_counts(module: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a").write_text("to")
    first = prepared(data, f"{module}.prepare", tmp_path / "out")
    (data / "a").rename(data / "b")
    assert prepared(data, f"{module}.prepare", tmp_path / "out") != first


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "(?s)wrote no CSV file.*Received: words.txt"),
        ("fails", "(?s)failed: KeyError: 'word'"),
        ("full", "(?s)cannot be prepared: No space left on device.*free space there"),
        ("meddles", "changed while it was prepared"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(
    name: str, message: str, module: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        prepared(source, f"{module}.{name}", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_missing_data_is_told_with_what_the_function_reads(module: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"(?s)not there.*Received: .*/none\n.*Set data.path to it. It is a file of words."
    ):
        prepared(tmp_path / "none", f"{module}.prepare", tmp_path / "out")


def test_missing_public_data_is_told_with_the_variable_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)folder adult_census.*STF_DATA"):
        prepared(tmp_path / "none", "components.public_data.adult.prepare", tmp_path / "out")


@pytest.mark.parametrize("function", ["stf_absent.prepare", "json.prepare"])
def test_a_function_that_cannot_be_imported(function: str, source: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"(?s)cannot be imported.*data.prepare.*{function}"):
        prepared(source, function, tmp_path / "out")


def test_a_killed_process_leaves_nothing_that_is_taken_for_whole(module: str, source: Path, tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=prepared, args=(source, f"{module}.killed", tmp_path / "out")
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
    folder = prepared(source, f"{module}.prepare", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock", folder.name]


def test_two_processes_at_once_make_one_folder(module: str, source: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=prepared, args=(source, f"{module}.prepare", tmp_path / "out")) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len([path for path in (tmp_path / "out").iterdir() if path.name != ".lock"]) == 1
