"""Quality of the stock model: `python -m benchmarks.stock_quality PROJECT`.

The template's own metric is binary accuracy. This takes the SavedModel that its Trainer exported, sends the raw
examples of its eval split through `serving_default`, and compares with the label that `transform_features` gives. It
prints one line of JSON, and is a process of its own so that the benchmark's stays small (see `benchmarks.measure`).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.predictions import predict
from benchmarks.scores import score
from benchmarks.stock import stock_examples, stock_model

_LABEL_KEY = "tips_xf"


def main() -> None:
    """Prints the metrics of a stock project that has run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stock_quality", description=__doc__.split("\n")[0])
    parser.add_argument("project", type=Path)
    project = parser.parse_args().project
    scores, labels = predict(stock_model(project), stock_examples(project, "eval"), _LABEL_KEY)
    print(json.dumps(asdict(score(labels, scores))))


if __name__ == "__main__":
    main()
