"""A standalone Flink cluster of this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.integration.engines.java_processes import JavaProcesses
from tests.integration.servers.port import free_port

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_OPTIONS = ("-Xmx512m", "-XX:MaxDirectMemorySize=448m", "-XX:MaxMetaspaceSize=256m")
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


@dataclass(frozen=True)
class FlinkCluster:
    """A job manager and two task managers of one slot each.

    Attributes:
        address: HOST:PORT of the REST service.
    """

    address: str
    processes: JavaProcesses

    @property
    def busy_managers(self) -> int:
        """Number of task managers that have been given work."""
        return sum("Received task" in self.processes.log(f"task-manager-{number}") for number in (1, 2))


@contextlib.contextmanager
def flink_cluster(folder: Path, before: Sequence[str] = ()) -> Iterator[FlinkCluster]:
    """Starts one, with its logs in a folder; `before` comes before the command line of each of its processes."""
    (folder / "flink-conf.yaml").write_text(_CONFIGURATION.replace("RPC", str(free_port())))
    with JavaProcesses("flink", folder, before) as processes:
        processes.start("job-manager", _OPTIONS, (_JOB_MANAGER, "--configDir", str(folder)))
        for number in (1, 2):
            processes.start(f"task-manager-{number}", _OPTIONS, (_TASK_MANAGER, "--configDir", str(folder)))
        port = processes.said("job-manager", r"Rest endpoint listening at \S+:(\d+)")
        for number in (1, 2):
            processes.said(f"task-manager-{number}", r"Successful registration at resource manager (\S+)")
        yield FlinkCluster(f"127.0.0.1:{port}", processes)
