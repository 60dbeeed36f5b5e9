"""What a run may cost, in counts rather than seconds: modules, passes over the data, bytes.

The demo runs one node after the other. In each node's process, a watch on the folders of examples counts how often
their files are opened, by whomever, and the modules are listed at the end. A bound that must be raised says that
something has become dearer; one that can be lowered should be.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROWS = 15_002

# How often a node's process reads a split of the examples, of ExampleGen's or of Transform's, in either form:
# TFRecords, or the columns beside them. What is not here is not read.
PASSES = {
    ("StatisticsGen", "examples", "train"): 1,
    ("StatisticsGen", "examples", "eval"): 1,
    ("Transform", "examples", "train"): 2,
    ("Transform", "examples", "eval"): 2,
    ("Trainer", "transformed_examples", "train"): 1,
    ("Trainer", "transformed_examples", "eval"): 1,
    ("SmokeCheck", "examples", "eval"): 1,
    ("Evaluator", "examples", "eval"): 2,  # once as records, for the model, and once in columns
}
# Bytes of what a node leaves, by row of the data; and modules that its process imports beside those that it has from
# the process that it is forked from. Some 10% above what is seen on either stack.
BYTES_A_ROW = {
    "ExampleGen": 165,
    "StatisticsGen": 3,
    "SchemaGen": 0.5,
    "ImportSchemaGen": 0.5,
    "ExampleValidator": 0.5,
    "AnomalyGate": 0.1,
    "Transform": 260,
    "Trainer": 33,
    "LatestBlessed": 0,
    "Evaluator": 4,
    "SmokeCheck": 40,
    "Pusher": 0.1,
}
IMPORTS = {
    "ExampleGen": 10,
    "StatisticsGen": 20,
    "SchemaGen": 6,
    "ImportSchemaGen": 6,
    "ExampleValidator": 6,
    "AnomalyGate": 6,
    "Transform": 32,
    "Trainer": 202,
    "LatestBlessed": 2,
    "Evaluator": 24,
    "SmokeCheck": 80,
    "Pusher": 6,
}
# Seconds of every start, for what no node does.
NEVER = (
    *("google.cloud", "tfx.v1", "docker", "kubernetes", "keras_tuner", "IPython", "ipywidgets", "matplotlib"),
    *("nltk", "sklearn", "scipy.stats"),
)

# `scalable-tf run`, with a look at each node's process.
SCRIPT = """
import ctypes, json, os, struct, sys
from pathlib import Path
from types import ModuleType
from runners import cli
from runners.commands.libraries import libraries
from tests.e2e.test_budget import loaded

cli._prepare_environment()
with libraries():
    from runners import local
run_node = local.run_node
artifacts, records = Path(sys.argv[1], "artifacts"), Path(sys.argv[2])
OPEN, ACCESS, NONBLOCK = 0x20, 0x01, 0o4000

def recorded(pipeline, node, *rest):
    before, libc = loaded(), ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(NONBLOCK)
    splits = {}
    for split in artifacts.glob("*/*examples/*/*-*"):
        # Two equal events after each other become one: reads between them keep openings apart.
        splits[libc.inotify_add_watch(watch, os.fsencode(split), OPEN | ACCESS)] = split
    outcome = run_node(pipeline, node, *rest)
    opened = []
    try:
        while events := os.read(watch, 1 << 20):
            while events:
                number, mask, _, size = struct.unpack_from("iIII", events)
                name, events = events[16 : 16 + size].rstrip(b"\\0"), events[16 + size :]
                if mask & OPEN and name:
                    opened.append(str(splits[number] / os.fsdecode(name)))
    except BlockingIOError:
        pass
    record = {"imports": sorted(loaded() - before), "loaded": sorted(loaded()), "opened": opened}
    (records / f"{node}.json").write_text(json.dumps(record))
    return outcome

local.run_node = recorded
code = cli.main(sys.argv[3:])
from tensorflow.python.eager import context
(records / "parent.json").write_text(json.dumps({"ran": context.context()._context_handle is not None}))
sys.exit(code)
"""


def loaded() -> set[str]:
    """Modules whose code has run in this process."""
    return {name for name, one in list(sys.modules.items()) if type(one) is type(sys) and getattr(one, "__file__", "")}


@dataclass(frozen=True)
class Recorded:
    """The run, and what its processes did."""

    artifacts: Path
    nodes: dict[str, dict[str, Any]]
    parent: dict[str, Any]

    def passes(self, node: str, key: str, split: str) -> float:
        """How often a node opened the files of a split, by their number."""
        total = 0.0
        for folder in self.artifacts.glob(f"*/{key}/*/*-{split}"):
            files = [str(path) for path in folder.iterdir()]
            total += sum(self.nodes[node]["opened"].count(path) for path in files) / len(files)
        return total


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    output_dir, records = tmp_path_factory.mktemp("budget"), tmp_path_factory.mktemp("records")
    arguments = ["run", "-c", "configs/taxi.yaml", "--set", f"output_dir={output_dir}"]
    arguments += ["--set", "runner.parallel_nodes=1"]
    command = [sys.executable, "-c", SCRIPT, str(output_dir), str(records), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    nodes = {path.stem: json.loads(path.read_text()) for path in records.iterdir()}
    parent = nodes.pop("parent")
    return Recorded(output_dir / "artifacts", nodes, parent)


def test_the_parent_of_the_nodes_never_runs_tensorflow(recorded: Recorded) -> None:
    assert recorded.parent == {"ran": False}


def test_nothing_is_loaded_that_no_node_uses(recorded: Recorded) -> None:
    found = {
        node: [name for name in record["loaded"] if name.startswith(tuple(f"{one}." for one in NEVER)) or name in NEVER]
        for node, record in recorded.nodes.items()
    }
    assert found == {node: [] for node in IMPORTS}


def test_a_node_imports_little_beside_what_its_parent_has(recorded: Recorded) -> None:
    over = {
        node: record["imports"] for node, record in recorded.nodes.items() if len(record["imports"]) > IMPORTS[node]
    }
    assert over == {}


def test_examples_are_read_as_seldom_as_can_be(recorded: Recorded) -> None:
    over = {}
    for node in recorded.nodes:
        for key, split in product(("examples", "transformed_examples"), ("train", "eval")):
            passes = recorded.passes(node, key, split)
            if passes > PASSES.get((node, key, split), 0):
                over[node, key, split] = passes
    assert over == {}


def test_the_readings_are_seen(recorded: Recorded) -> None:
    assert recorded.passes("Trainer", "transformed_examples", "train") >= 1
    assert recorded.passes("Evaluator", "examples", "eval") >= 1


def test_what_a_node_leaves_is_small(recorded: Recorded) -> None:
    sizes = {
        folder.name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / ROWS
        for folder in recorded.artifacts.iterdir()
    }
    assert {node: size for node, size in sizes.items() if size > BYTES_A_ROW[node]} == {}
