"""A standalone Flink cluster of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from runners.java import jars, java
from tests.integration.servers import free_port

_ENTRY_POINTS = {
    "job-manager": "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    "task-manager-1": "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
    "task-manager-2": "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
}
_SECONDS = 90.0
# Flink's scripts would work out the parts of the memory; processes that are started without them need each part.
_CONFIGURATION = """\
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: RPC
rest.address: 127.0.0.1
rest.bind-port: 0
taskmanager.host: 127.0.0.1
taskmanager.numberOfTaskSlots: 1
taskmanager.cpu.cores: 1.0
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.task.heap.size: 384m
taskmanager.memory.task.off-heap.size: 0b
taskmanager.memory.managed.size: 128m
taskmanager.memory.network.min: 256m
taskmanager.memory.network.max: 256m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
"""


class FlinkCluster:
    """A job manager and two task managers of one slot each.

    Args:
        folder: for the configuration and the logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = ""
        """HOST:PORT of the REST service."""

    def __enter__(self) -> FlinkCluster:
        configuration = _CONFIGURATION.replace("RPC", str(free_port()))
        (self._folder / "flink-conf.yaml").write_text(configuration)
        try:
            for name, entry_point in _ENTRY_POINTS.items():
                self._start(name, entry_point)
            self.address = "127.0.0.1:" + self._said("job-manager", r"Rest endpoint listening at \S+:(\d+)")
            for manager in ("task-manager-1", "task-manager-2"):
                self._said(manager, r"Successful registration at resource manager (\S+)")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def log(self, name: str) -> str:
        """What job-manager, task-manager-1 or task-manager-2 has written."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(self, name: str, entry_point: str) -> None:
        heap = [
            "-Xmx512m",
            "-XX:MaxDirectMemorySize=448m",
            "-XX:MaxMetaspaceSize=256m",
            f"-Djava.io.tmpdir={self._folder}",
        ]
        classes = ["-cp", f"{jars('flink', None, os.environ)}/*", entry_point]
        command = [java(os.environ), *heap, *classes, "--configDir", str(self._folder)]
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._processes.append(process)

    def _said(self, name: str, pattern: str) -> str:
        deadline = time.monotonic() + _SECONDS
        while not (found := re.search(pattern, self.log(name))):
            ended = [process.args for process in self._processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{ended}: {self.log(name)[-2000:]}")
            time.sleep(0.1)
        return found[1]
