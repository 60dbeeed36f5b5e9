from __future__ import annotations

from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import statistics_pb2

from runners.kubeflow.statistics_page import statistics_page

STATISTICS = """
datasets {
  num_examples: 4
  features {
    path { step: "fare" }
    type: FLOAT
    num_stats {
      common_stats { num_non_missing: 3 num_missing: 1 }
      mean: 2.5 std_dev: 0.5 num_zeros: 1 min: -1 median: 2 max: 6
    }
  }
  features {
    path { step: "company" }
    type: STRING
    string_stats {
      common_stats { num_non_missing: 4 }
      unique: 2
      top_values { value: "<b>&" frequency: 3 }
      top_values { value: "x" frequency: 1 }
    }
  }
}
"""


def page(**splits: str) -> str:
    message: Any = statistics_pb2.DatasetFeatureStatisticsList
    return statistics_page({split: text_format.Parse(text, message()) for split, text in splits.items()})


def test_numbers() -> None:
    cells = ("fare", "FLOAT", "3", "25.0 %", "2.5", "0.5", "1", "-1", "2", "6", "")
    assert "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" in page(train=STATISTICS)


def test_texts_of_the_data_are_no_markup() -> None:
    assert "<td>2 distinct: &lt;b&gt;&amp; (3), x (1)</td>" in page(train=STATISTICS)


def test_splits_in_the_order_of_their_names_and_nothing_is_loaded() -> None:
    text = page(train=STATISTICS, eval=STATISTICS)
    assert text.index("<h2>eval: 4 rows") < text.index("<h2>train: 4 rows")
    assert "<script" not in text
    assert "http" not in text


def test_a_split_without_rows() -> None:
    assert "<h2>train: 0 rows" in page(train="datasets { features { path { step: 'a' } type: INT } }")
