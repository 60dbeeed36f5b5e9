"""A training over two hosts: network namespaces with addresses of their own, one of which is cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from distribution.python_path import python_path
from tests.integration.cluster_training import ClusterTraining, wait_for

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(900)]

ADDRESSES = ("10.213.7.1", "10.213.7.2")
PORT = 2222


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Hosts:
    """Two namespaces, joined by a cable."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def plug(self, up: bool) -> None:
        """Plugs the second host's end of the cable, or pulls it."""
        ip("-n", self.names[1], "link", "set", "cable", "up" if up else "down")

    def start(self, host: int, command: list[str]) -> subprocess.Popen[str]:
        """Runs Python on a host, as the worker of its number."""
        cluster = {"worker": [f"{address}:{PORT}" for address in ADDRESSES]}
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": host}})
        environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": python_path()}
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[host], sys.executable, "-m", *command],
            env={**environment, "TF_CONFIG": config},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    if shutil.which("ip") is None:
        pytest.skip("there is no ip command: install iproute2")
    names = [f"stf-{uuid.uuid4().hex[:8]}-{index}" for index in range(2)]
    with ExitStack() as made:
        for name in names:
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"network namespaces cannot be made here: {error.stderr.decode().strip()}")
            made.callback(ip, "netns", "delete", name)
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        for name, address in zip(names, ADDRESSES, strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "cable", "up")
        yield Hosts(names)


def test_a_host_that_is_cut_off(tmp_path: Path, hosts: Hosts) -> None:
    settings = {
        "strategy": "multi_worker_mirrored",
        "epochs": 30,
        "steps_per_execution": 1,
        "backup_steps": 10,
        "collectives": {"timeout_seconds": 60},
        "cluster": {"launcher": "env"},
    }
    training = ClusterTraining(tmp_path / "t", settings)
    (training.folder / "arguments.json").write_text(json.dumps(vars(training.arguments())))
    chief = ["tests.integration.cluster_training", str(training.folder)]
    worker = ["distribution.task", str(training.folder / "state" / "cluster")]

    processes = [hosts.start(0, chief), hosts.start(1, worker)]
    wait_for(training.saved_step)
    hosts.plug(False)
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert "another task was lost, or this one was asked to end" in outputs[0]
    assert processes[0].returncode == 1
    assert processes[1].returncode == 75, outputs[1]

    hosts.plug(True)
    processes = [hosts.start(0, chief), hosts.start(1, worker)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert "Training goes on after step" in outputs[1]
    undisturbed = ClusterTraining(tmp_path / "one", {**settings, "strategy": "default", "cluster": {}}).run()
    assert training.outcome()["steps"] == undisturbed["steps"] == 120
    np.testing.assert_allclose(training.outcome()["weights"], undisturbed["weights"], rtol=1e-4)
