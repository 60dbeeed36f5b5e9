"""Labels that are missing, wrong or all the same."""

from __future__ import annotations

from pathlib import Path

from tests.unit.components.example_gen.csv_ingestion import ROWS, csv_text, examples, ingest_files, refuses, table_of


def test_rows_without_a_label_are_dropped_and_counted(tmp_path: Path) -> None:
    done = ingest_files(tmp_path, csv_text(*ROWS, "1,,100", "1,nan,101"), drop_unlabelled=True)
    assert (sum(done.rows.values()), done.dropped) == (40, 2)
    assert max(row["n"][1] for row in examples(tmp_path)) == 39


def test_missing_label_column(tmp_path: Path) -> None:
    refuses(
        tmp_path, "Column 'tips' is missing; it is read by the label.*'tip'", csv_text("1,2,3", header="fare,tip,n")
    )


def test_rows_without_a_label(tmp_path: Path) -> None:
    refuses(tmp_path, "1 row has no label.*line 42.*tips is empty.*unlabelled: drop", csv_text(*ROWS, "1,,3"))


def test_a_label_that_is_a_text_for_missing_values_is_told_as_such(tmp_path: Path) -> None:
    message = r"is empty, or has a text of data\.missing_values \('NA'\).*line 42.*take it out of data\.missing_values"
    refuses(tmp_path, message, csv_text(*ROWS, "1,NA,3"), missing=("", "NA"))


def test_one_class_only(tmp_path: Path) -> None:
    refuses(tmp_path, "only one class.*tips > 0.5.*no in all of 20 rows", csv_text(*["1,0,3"] * 20))


def test_number_class_out_of_range(tmp_path: Path) -> None:
    table = table_of(kind="integer", column="n", classes=3)
    refuses(tmp_path, "37 rows have a label outside 0 to 2.*line 5: n=3", csv_text(*ROWS), table=table)


def test_unknown_class_name(tmp_path: Path) -> None:
    table = table_of(kind="one_hot", column="n", classes=("cat", "dog"))
    rows = ["1,1,cat", "1,1,dog", "1,1,dgo", "1,1,dgo", "1,1,cow"]
    refuses(tmp_path, "3 rows have a label.*'dgo' \\(2\\), 'cow' \\(1\\).*mean 'dog'", csv_text(*rows), table=table)


def test_constant_number_to_predict(tmp_path: Path) -> None:
    refuses(tmp_path, "only one", csv_text(*["1,2,3"] * 9), table=table_of(kind="numeric", column="n"))


def test_label_that_is_not_yes_or_no(tmp_path: Path) -> None:
    refuses(tmp_path, "not give yes or no", csv_text(*ROWS), table=table_of(kind="binary", expression="tips"))


def test_a_split_with_one_class_only(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        r"Split '(train|eval)' holds one class only.*label by tips > 0.5.*no in all of \d+ rows; all splits: no 39, "
        "yes 1",
        csv_text(*(f"{fare},{int(fare == 7)},{fare}" for fare in range(40))),
    )


def test_an_infinite_number_to_predict(tmp_path: Path) -> None:
    table = table_of(kind="numeric", column="tips")
    refuses(tmp_path, "1 row has an infinite label.*line 42: tips=inf", csv_text(*ROWS, "1,inf,3"), table=table)
