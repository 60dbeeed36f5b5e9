"""The option --target, which compile and check share."""

from __future__ import annotations

import argparse

TARGETS = ("kfp", "vertex")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Adds it."""
    parser.add_argument(
        "--target", choices=TARGETS, default=TARGETS[0], help="kfp: Kubeflow Pipelines; vertex: Vertex AI; default: kfp"
    )
