"""A standalone Spark cluster of this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.engines.java_processes import JavaProcesses

_OPTIONS = ("-Xmx512m", "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
_LOCAL = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")


@dataclass(frozen=True)
class SparkCluster:
    """A master and a worker of two processors.

    Attributes:
        url: of the master.
    """

    url: str
    processes: JavaProcesses

    @property
    def executors(self) -> int:
        """Number of processes that the worker has started for jobs."""
        return self.processes.log("worker").count("Asked to launch executor")


@contextlib.contextmanager
def spark_cluster(folder: Path) -> Iterator[SparkCluster]:
    """Starts one, with its logs in a folder."""
    with JavaProcesses("spark", folder) as processes:
        (folder / "jars").symlink_to(processes.jars)  # where executors look for theirs
        processes.start("master", _OPTIONS, ("org.apache.spark.deploy.master.Master", *_LOCAL))
        url = processes.said("master", r"Starting Spark master at (spark://\S+)")
        given = ("--cores", "2", "--memory", "2g", "--work-dir", str(folder / "work"), url)
        worker = ("org.apache.spark.deploy.worker.Worker", *_LOCAL, *given)
        processes.start("worker", _OPTIONS, worker, SPARK_HOME=str(folder), SPARK_SCALA_VERSION="2.12")
        processes.said("worker", r"(Successfully registered with master)")
        yield SparkCluster(url, processes)
