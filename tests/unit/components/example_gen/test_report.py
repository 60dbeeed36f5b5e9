"""Reports put together and sent as text."""

from __future__ import annotations

from collections import Counter

from components.example_gen.report import SAMPLES, Found, Report


def _report() -> Report:
    report = Report(10, 1, 3, {"train": 6, "eval": 3}, {"a": "int"}, Counter(yes=4, no=5))
    report.ragged.add(2, [("f.csv", "line 3", "2 fields")])
    report.add_bad_values("fare", 1, [("f.csv", "line 4", "x")], "not a number")
    return report


def test_text_gives_it_back() -> None:
    assert Report.from_json(_report().to_json()) == _report()


def test_sum_of_two_reports() -> None:
    total = Report()
    total.add(_report())
    total.add(Report(5, 0, 1, {"train": 2, "eval": 3}, {"a": "float"}, Counter(no=5)))
    assert (total.read, total.dropped, total.rejected, total.kept) == (15, 1, 4, 10)
    assert total.written == {"train": 8, "eval": 6}
    assert total.types == {"a": "float"}
    assert total.labels == {"yes": 4, "no": 10}
    assert total.bad_values == {"fare": Found(1, [("f.csv", "line 4", "x")])}


def test_samples_are_the_first() -> None:
    found = Found()
    for line in "0123":
        found.add(2, [("f", line, "a"), ("f", line, "b")])
    assert found.count == 8
    assert [line for _, line, _ in found.samples] == ["0", "0", "1", "1", "2"]
    assert len(found.samples) == SAMPLES


def test_sound_without_findings() -> None:
    assert Report(read=3).sound
    assert not _report().sound
    assert not Report(error={"what": "x"}).sound


def test_two_classes_of_a_split_and_the_filled_rows_of_a_column_add_up() -> None:
    total = Report()
    for classes, filled in ((["yes"], 2), (["yes"], 0), (["no", "maybe"], 3)):
        total.add(Report(classes={"train": classes}, filled={"fare": filled}))
    assert len(total.classes["train"]) == 2
    assert total.filled == {"fare": 5}
