"""Dirty data through the command line: each line of docs/dirty-data.md is what a user sees."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs/dirty-data.md"

SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: FOLDER/FILE}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
  miles: {kind: numeric, dtype: int}
label: {kind: binary, expression: tips > 2}
evaluation: {thresholds: {accuracy: {lower: 0.0}}}
smoke_check: {enabled: false}
"""
TIMESTAMP = SETTINGS.replace("label:", "  note: {kind: timestamp, dtype: string}\nlabel:")
REGRESSION = SETTINGS.replace("binary, expression: tips > 2", "numeric, column: tips").replace(
    "accuracy: {lower: 0.0}", "mean_absolute_error: {upper: 9}"
)
HEADER = "fare,payment,miles,tips,note\n"


def row(number: int, **fields: str) -> str:
    made = {"fare": f"{number}.5", "payment": ("cash", "card")[number % 2], "miles": "3", "tips": str(number % 7)}
    return ",".join((made | {"note": f"2022-05-{number % 28 + 1:02}"} | fields).values()) + "\n"


ROWS = "".join(row(number) for number in range(1, 61))
PACKED = gzip.compress((HEADER + ROWS * 9).encode())


@dataclass(frozen=True)
class Case:
    """A data file that is refused, and what the message says beside the line of the table."""

    data: str | bytes
    says: tuple[str, ...] = ()
    settings: str = SETTINGS
    file: str = "data.csv"


def more(*rows: str) -> str:
    return HEADER + ROWS + "".join(rows)


def every(**fields: str) -> str:
    return HEADER + "".join(row(number, **fields) for number in range(1, 61))


REFUSED = {
    "gzip that is cut off": Case(PACKED[: len(PACKED) // 2], ("after line ", "gzip -t"), file="data.csv.gz"),
    "gzip with a changed byte": Case(PACKED[:-8] + b"0000" + PACKED[-4:], ("CRC",), file="data.csv.gz"),
    "gzip with other bytes behind it": Case(PACKED + b"more", ("after line 541",), file="data.csv.gz"),
    "gzip of nothing": Case(gzip.compress(b""), ("header line",), file="data.csv.gz"),
    "gzip inside of gzip": Case(gzip.compress(PACKED), ("a gzip file inside of a gzip file",), file="data.csv.gz"),
    "NUL byte": Case(more(row(1, payment="ca\0sh")), ("line 62, byte",)),
    "lines that end in a lone carriage return": Case(more().replace("\n", "\r"), ("tr '\\r' '\\n'",)),
    "quote that is never closed": Case(more(row(1, note='"open')) + ROWS, ("line 62", '"open')),
    "delimiter at the end of the header": Case(more().replace("note\n", "note,\n"), ("column 6 of 6",)),
    "delimiter at the end of the rows": Case(HEADER + ROWS.replace("\n", ",\n"), ("line 2: 6 instead of 5",)),
    "line of spaces": Case(more("   \n"), ("line 62: 1 instead of 5 fields",)),
    "spaces around the names of the header": Case(HEADER.replace("fare", "fare ") + ROWS, ("column: 'fare '",)),
    "column that is read, renamed": Case(HEADER.replace("payment", "payments") + ROWS, ("Is it 'payments'",)),
    "NaN or infinity among whole numbers": Case(more(row(1, miles="NaN"), row(2, miles="inf")), ("line 62: NaN",)),
    "float beyond float32": Case(more(row(1, fare="1e39"), row(2, fare="1e400")), ("line 62: 1e39", "line 63: 1e400")),
    "whole number beyond int64": Case(
        more(row(1, miles=str(2**63)), row(2, miles=str(-(2**63) - 1)), row(3, miles="1e39")),
        ("line 62: 9223372036854775808", "line 63: -9223372036854775809", "line 64: 1e39"),
    ),
    "label beyond float32": Case(more(row(1, tips="-1e39")), ("line 62: -1e39", "missing_values")),
    "infinite number to predict": Case(more(row(1, tips="inf")), ("line 62: tips=inf",), REGRESSION),
    "separators of thousands": Case(more(row(1, fare='"1,234.5"')), ("line 62: 1,234.5", "1234.5")),
    "words for yes and no": Case(more(row(1, fare="True")), ("line 62: True", "Write 1 and 0")),
    "dates among numbers": Case(more(row(1, fare="2022-05-16")), ("line 62", "kind: timestamp")),
    "unreadable timestamps": Case(every(note="16/05/2022"), ("line 2: 16/05/2022", "and 55 more"), TIMESTAMP),
    "label without any value": Case(every(tips=""), ("line 2: tips is empty", "data.unlabelled: drop")),
    "NaN as label": Case(more(row(1, tips="NaN")), ("line 62: tips=nan",)),
    "one row": Case(HEADER + row(3), ("yes in all of 1 rows",)),
    "split that stays empty": Case(HEADER + row(1, tips="0") + row(6, tips="5"), ("2 rows for splits {'train': 2",)),
    "one class only in a split": Case(every(tips="0") + row(6), ("all splits: no 60, yes 1",)),
}  # fmt: skip


def table() -> dict[str, list[str]]:
    """The lines of the document's tables by case: what happens, where, and the message's first line or the test."""
    lines = [line.strip("| \n").split(" | ") for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return {fields[0]: fields[1:] for fields in lines if len(fields) == 4 and not fields[0].startswith("case")}


def write(folder: Path, settings: str, data: str | bytes, file: str = "data.csv") -> list[str]:
    (folder / "settings.yaml").write_text(settings.replace("FOLDER", str(folder)).replace("FILE", file), "utf-8")
    (folder / file).write_bytes(data if isinstance(data, bytes) else data.encode())
    return ["run", "-c", str(folder / "settings.yaml")]


@pytest.fixture(scope="module")
def refused(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    folders = {name: tmp_path_factory.mktemp("refused") for name in REFUSED}
    commands = {name: write(folders[name], case.settings, case.data, case.file) for name, case in REFUSED.items()}
    return {name: (ended, folders[name]) for name, ended in run_all(commands).items()}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_the_table_says(name: str, refused: dict[str, tuple[Any, Path]]) -> None:
    ended, folder = refused[name]
    assert ended.code == 1, ended.stdout + ended.stderr
    assert f"ExampleGen failed.\n{table()[name][2].strip('`')}\n" in ended.stderr
    for text in (*REFUSED[name].says, f"Where: {folder / REFUSED[name].file}"):
        assert text in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_left_of_a_refused_run(name: str, refused: dict[str, tuple[Any, Path]]) -> None:
    output = refused[name][1] / "output"
    left = {path.relative_to(output).parts[0] for path in output.rglob("*") if path.is_file()}
    assert left == {".lock", "logs", "metadata"}


def test_every_line_of_the_table_is_tested() -> None:
    lines = table()
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert set(REFUSED) < set(lines)
    for name in set(lines) - set(REFUSED):
        for test in re.findall(r"`(test_\w+)`", lines[name][2]) or [f"no test for {name}"]:
            assert f"def {test}(" in tests, name


# Data that are odd, but fine.

TREATED = """\
name: trips
output_dir: FOLDER/output
data: {path: FOLDER/FILE}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
  miles: {kind: numeric, dtype: int, scale: min_max}
  same: {kind: numeric}
  word: {kind: categorical}
  size: {kind: numeric, column: größe}
  no_number: {kind: numeric}
  no_whole: {kind: bucketized, dtype: int, buckets: 3}
  no_word: {kind: categorical}
  raw: {kind: passthrough}
  at: {kind: timestamp, dtype: string}
label: {kind: binary, expression: tips > 2}
training: {epochs: 1, tensorboard: false, backup: false}
model: {hidden_units: [4]}
evaluation: {thresholds: {accuracy: {lower: 0.0}}}
smoke_check: {enabled: false}
"""
COLUMNS = ("fare", "payment", "miles", "tips", "same", "word", "größe", "no_number", "no_whole", "no_word", "raw", "at")
ODD: dict[int, dict[str, str]] = {
    5: {"fare": "NaN", "raw": "nan", "note": 'says "hello"\nand, later, goes'},
    6: {"fare": "inf", "raw": "inf", "payment": "ca\nsh"},
    7: {"fare": "-Infinity", "raw": "-inf", "note": '5" pipe'},
    8: {"fare": " 3.5 ", "miles": " 4 ", "note": "x" * 1_000_000},
    9: {"fare": "1e5", "miles": "1e5", "payment": "y" * 1_000_000},
    10: {"fare": str(2**63), "miles": "3.0", "unread": "1e400"},
    11: {"unread": str(2**63), "at": ""},
}


def odd_csv() -> bytes:
    """A byte order mark, lines that end in CRLF, in LF or are empty, and odd values."""
    lines = []
    for number in range(200):
        fields = dict.fromkeys((*COLUMNS, "note", "unread", "no_unread"), "")
        fields |= {
            "fare": f"{number}.25",
            "payment": ("cash", "card", f"only {number}")[number % 3],
            "miles": str(number),
        }
        fields |= {"tips": str(number % 6), "same": "7", "word": "all", "größe": "1", "raw": "0.5", "at": "2022-05-16"}
        fields |= ODD.get(number, {})
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n" if number % 2 else "\r\n")
        if not lines:
            writer.writerow(fields)
        writer.writerow(fields.values())
        lines.append(buffer.getvalue() + "\n" * (number % 50 == 0))
    return b"\xef\xbb\xbf" + "".join(lines).encode()


@pytest.fixture(scope="module")
def treated(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("treated")
    return run_all({"run": write(folder, TREATED, gzip.compress(odd_csv()))})["run"], folder


def test_odd_data_end_in_a_release(treated: tuple[Any, Path]) -> None:
    ended, folder = treated
    assert ended.code == 0, ended.stdout + ended.stderr
    assert (folder / "output/releases/trips/1/saved_model.pb").exists()


def test_every_row_is_kept(treated: tuple[Any, Path]) -> None:
    files = treated[1].glob("output/artifacts/ExampleGen/examples/*/Split-*/*.gz")
    assert sum(1 for path in files for _ in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()) == 200


@pytest.mark.parametrize("column", ["no_number", "no_whole", "no_word"])
def test_a_column_without_any_value_is_told(treated: tuple[Any, Path], column: str) -> None:
    assert f"Note: Column '{column}' is empty in all of 200 rows" in treated[0].stdout


@pytest.fixture(scope="module")
def predict(treated: tuple[Any, Path]) -> Callable[..., float]:
    model = tf.saved_model.load(str(treated[1] / "output/releases/trips/1"))  # held by the function below
    signature = model.signatures["predict"]
    plain: dict[str, Any] = {name: float("nan") for name in ("fare", "miles", "same", "no_number", "no_whole", "raw")}
    plain |= {"gr_xf6_xdfe": 1.0, "payment": "cash", "word": "all", "no_word": "", "at": "2022-05-16"}

    def ask(**fields: Any) -> float:
        dtypes = {key: spec.dtype for key, spec in signature.structured_input_signature[1].items()}
        inputs = {key: tf.constant([value], dtypes[key]) for key, value in (plain | fields).items()}
        return float(signature(**inputs)["predictions"].numpy()[0, 0]) if model else np.nan

    return ask


@pytest.mark.parametrize(
    "fields",
    [
        {"payment": "never seen"},
        {"word": "another"},
        {"no_word": "suddenly there", "no_number": 3.0, "no_whole": 3.0},
        {"fare": float("inf"), "raw": float("-inf")},
        {"fare": 3e38, "miles": 9e15, "same": -3e38},
        {"at": "16/05/2022"},
        {"payment": "x" * 1_000_000},
    ],
    ids=lambda fields: "_".join(fields),
)
def test_the_released_model_answers_with_a_number(predict: Callable[..., float], fields: dict[str, Any]) -> None:
    assert 0.0 <= predict(**fields) <= 1.0


def test_categories_never_seen_in_training_are_one(predict: Callable[..., float]) -> None:
    assert predict(payment="never seen") == predict(payment="nor this")


# A curated schema.

SCHEMA = """\
feature { name: "fare" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "payment" type: BYTES presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "miles" type: INT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "tips" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "note" type: BYTES presence { min_fraction: 0.9 } value_count { max: 1 } }
"""


@pytest.fixture(scope="module")
def curated(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("curated")
    (folder / "schema.pbtxt").write_text(SCHEMA)
    changed = "".join(
        line if place == 0 else line.rstrip("\n") + ",1\n"
        for place, line in enumerate(every(miles="").replace("note\n", "notes,extra\n", 1).splitlines(keepends=True))
    )
    run = write(folder, SETTINGS + "schema: {path: FOLDER/schema.pbtxt}\n", changed)
    ended: dict[str, Any] = run_all(
        {"run": run, "diff": ["schema", "diff", *run[1:]], "accept": ["schema", "accept", *run[1:]]}
    )
    return ended


@pytest.mark.parametrize(
    "anomaly",
    ["extra: SCHEMA_NEW_COLUMN", "notes: SCHEMA_NEW_COLUMN", "note: SCHEMA_MISSING_COLUMN", "miles: FEATURE_TYPE_"],
)
def test_changed_columns_stop_at_the_gate(curated: dict[str, Any], anomaly: str) -> None:
    assert curated["run"].code == 1, curated["run"].stdout + curated["run"].stderr
    line = table()["column added, renamed or without values, against a curated schema"][2].split("`")[1]
    assert f"AnomalyGate failed.\n{line}\n" in curated["run"].stderr
    assert f"train: {anomaly}" in curated["run"].stderr


def test_the_message_names_the_commands_that_show_and_accept_the_change(curated: dict[str, Any]) -> None:
    assert "scalable-tf schema diff -c FILE" in curated["run"].stderr
    assert "scalable-tf schema accept -c FILE" in curated["run"].stderr


@pytest.mark.parametrize("change", ["extra: new: INT", "notes: new: BYTES", "note: lifecycle_stage"])
def test_the_change_is_shown_and_accepted(curated: dict[str, Any], change: str) -> None:
    assert curated["diff"].code == 4, curated["diff"].stdout + curated["diff"].stderr
    assert curated["accept"].code == 0, curated["accept"].stdout + curated["accept"].stderr
    assert change in curated["diff"].stdout
    assert change in curated["accept"].stdout
