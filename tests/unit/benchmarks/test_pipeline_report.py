from __future__ import annotations

from benchmarks.pipeline_report import report_size, report_sizes
from tests.unit.benchmarks.results import made_result


def cells(text: str, first: str) -> list[str]:
    """The one row of a table that begins so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {first} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_one_size() -> None:
    text = report_size(made_result(10_000))
    assert cells(text, "seconds, start to exit") == ["seconds, start to exit", "20.0", "10.0", "2.000"]
    assert cells(text, "processor seconds") == ["processor seconds", "40.0", "10.0", "4.000"]
    assert cells(text, "AUC") == ["AUC on the eval split", "0.550", "0.950", "-"]


def test_nodes_of_one_side_only_are_in_the_table() -> None:
    text = report_size(made_result(10_000))
    assert cells(text, "ExampleGen") == ["ExampleGen", "10.0", "0.500", "20.0"]
    assert cells(text, "AnomalyGate") == ["AnomalyGate", "-", "0.250", "-"]


def test_a_row_of_totals_for_each_size() -> None:
    text = section(report_sizes([made_result(10_000), made_result(1_000_000)]), "Totals")
    assert cells(text, "10,000") == [
        *("10,000", "195", "20.0", "10.0", "2.000", "40.0", "10.0", "1000.0", "500.0", "0.550", "0.950")
    ]
    assert cells(text, "1,000,000")[2:5] == ["1010.0", "100.0", "10.1"]


def test_growth_of_totals_and_nodes() -> None:
    text = section(report_sizes([made_result(10_000), made_result(1_000_000)]), "Growth")
    assert cells(text, "ours, total") == ["ours, total", "0.500"]  # a hundred times the rows, ten times the seconds
    assert cells(text, "stock, ExampleGen") == ["stock, ExampleGen", "1.000"]
    assert cells(text, "stock, Trainer") == ["stock, Trainer", "0.000"]


def test_one_size_does_not_grow() -> None:
    assert "## Growth" not in report_sizes([made_result(10_000)])


def test_what_no_node_is_in() -> None:
    text = section(report_sizes([made_result(10_000)]), "Nodes, 10,000 rows")
    assert "less the sum of the nodes: 5.0 s (stock) and 9.2 s (ours)" in text  # 20 - 15, 10 - 0.75


def test_a_check_that_fails_stands_out() -> None:
    failed = {"what": "AUC", "stock": "0.9", "ours": "0.5", "holds": False}
    text = section(report_sizes([made_result(10_000), made_result(20_000, checks=[failed])]), "Results compared")
    assert cells(text, "10,000 rows: rows, train") == ["10,000 rows: rows, train", "10", "10", "yes"]
    assert cells(text, "20,000 rows: AUC") == ["20,000 rows: AUC", "0.9", "0.5", "NO"]


def test_it_says_on_what_and_how_it_was_measured() -> None:
    cold, warm = (report_sizes([made_result(10_000, warm=warm)]) for warm in (False, True))
    assert "fresh processes" in cold
    assert "second run" in warm
    assert "2 cores, 15.6 GB" in cold
    assert "one turn" in cold
