"""Settings of the engine: where the Beam work inside a node executes."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from configs.section import Location, Section
from schemas.errors import PlacedValueError

EngineKind = Literal["auto", "inline", "direct", "flink", "spark", "prism", "dataflow", "portable"]
_ADDRESS = re.compile(r"[^\s:/]+:\d{1,5}")


def _an_address(address: str | None) -> str | None:
    if address is not None and not (_ADDRESS.fullmatch(address) and int(address.rpartition(":")[2]) < 1 << 16):
        raise ValueError("must be HOST:PORT")
    return address


class SdkWorkers(Section):
    """The Python processes in which an engine runs our functions."""

    kind: Literal["loopback", "pool", "process", "container"] = Field(
        "loopback",
        description="loopback: in the node's own process, for an engine of this machine; pool: a pool of Beam's "
        "workers at address; process: Beam's boot, started by the engine on its own machines; container: image, "
        "started by the engine with Docker.",
    )
    address: str | None = Field(None, description="HOST:PORT of the pool.")
    command: Location | None = Field(
        None, description="Program that starts a worker as a process; default: boot, as make engines builds it."
    )
    environment: dict[str, str] = Field(
        {}, description="Environment of processes; PATH leads to this Python unless it is given here."
    )
    image: str | None = Field(None, description="Container image with our packages.")

    _address = field_validator("address")(_an_address)

    @model_validator(mode="after")
    def _told(self) -> SdkWorkers:
        of = {"address": "pool", "command": "process", "environment": "process", "image": "container"}
        for name, kind in of.items():
            given = bool(getattr(self, name))
            if given and self.kind != kind:
                raise PlacedValueError(f"must be left out for workers of the kind {self.kind}", (name,))
            if not given and self.kind == kind and kind != "process":
                raise PlacedValueError(f"is needed for workers of the kind {self.kind}", (name,))
        return self


class JobServer(Section):
    """A Beam job server, which takes jobs from nodes and hands them to an engine."""

    address: str | None = Field(
        None, description="HOST:PORT of a job server; default: each run starts one on this machine and stops it."
    )
    parallelism: int | None = Field(None, ge=1, description="Tasks at a time; default: one a processor.")
    workers: SdkWorkers = SdkWorkers()
    options: dict[str, str] = Field({}, description="More options of Beam's runner, by their names without dashes.")
    timeout_seconds: float = Field(60.0, gt=0.0, description="How long the job server may take to answer.")

    _address = field_validator("address")(_an_address)


class Flink(JobServer):
    """Apache Flink."""

    master: str = Field(
        "[local]", description="HOST:PORT of a cluster's REST service; default: a cluster in the job server."
    )
    memory_mb: int = Field(1024, ge=256, description="Heap of a job server that a run starts.")
    network_mb: int = Field(512, ge=64, description="Memory for what tasks exchange, in a job server with a cluster.")
    configuration: dict[str, str] = Field(
        {}, description="More of Flink's own options, of a job server that a run starts."
    )
    jars: Location | None = Field(None, description="Folder of the job server's jars; default: what make engines made.")


class Spark(JobServer):
    """Apache Spark."""

    master: str | None = Field(None, description="URL of a cluster: spark://HOST:PORT; default: local[parallelism].")
    memory_mb: int = Field(1024, ge=256, description="Heap of a job server that a run starts.")
    configuration: dict[str, str] = Field(
        {}, description="More of Spark's own options, of a job server that a run starts."
    )
    jars: Location | None = Field(None, description="Folder of the job server's jars; default: what make engines made.")


class Prism(JobServer):
    """Prism, Beam's own engine in one process."""

    binary: Location | None = Field(
        None, description="The program; default: what make engines built, or prism on PATH."
    )

    @model_validator(mode="after")
    def _starts_no_processes(self) -> Prism:
        if self.workers.kind == "process":
            raise PlacedValueError("cannot be process: Prism starts none", ("workers", "kind"))
        return self


class Dataflow(Section):
    """Google Dataflow, whose workers must see output_dir and the data under the same paths as the nodes."""

    mounted: bool = Field(
        False, description="Whether image mounts output_dir and the data, as from Filestore; without, no node can work."
    )
    project: str | None = Field(None, description="Google Cloud's project.")
    region: str | None = Field(None, description="Region, such as europe-west4.")
    temp_location: str | None = Field(None, description="Folder for what is staged, gs://BUCKET/FOLDER.")
    image: str | None = Field(None, description="Container image with our packages and Beam's boot.")
    service_account: str | None = Field(None, description="E-mail address of the workers' account.")
    subnetwork: str | None = Field(None, description="Network of the workers, regions/REGION/subnetworks/NAME.")
    machine_type: str | None = Field(None, description="Of the workers, such as n2-standard-4.")
    max_workers: int | None = Field(None, ge=1, description="Most workers at a time.")
    options: dict[str, str] = Field({}, description="More options of Beam's runner, by their names without dashes.")

    def check(self) -> None:
        """Refuses what cannot work.

        Raises:
            PlacedValueError: something is missing.
        """
        if not self.mounted:
            raise PlacedValueError(
                "must be true for the engine dataflow: its workers read the data and write output_dir themselves, and "
                "share no file system unless the image mounts one; docs/engines.md",
                ("dataflow", "mounted"),
            )
        missing = [name for name in ("project", "region", "temp_location", "image") if getattr(self, name) is None]
        if missing:
            raise PlacedValueError(f"must also have {', '.join(missing)} for the engine dataflow", ("dataflow",))


class Engine(Section):
    """Where the Beam work inside a node executes."""

    kind: EngineKind = Field(
        "auto",
        description="inline: in the node's process, without serialisation; direct: Beam's own local runner; "
        "auto: inline, but direct where TFX's own executor reads more examples than inline_max_bytes; flink; spark; "
        "prism; dataflow; portable: any other job server of Beam.",
    )
    inline_max_bytes: int = Field(
        2_000_000_000,
        ge=0,
        description="Bytes of examples up to which auto chooses inline for TFX's own executors, which keep much of "
        "them in memory. Nodes that read column files keep none, and are always inline.",
    )
    processes: int | None = Field(
        None,
        ge=1,
        description="Processes among which inline shares out a node's files; default: one a processor, at most 8.",
    )
    nodes: dict[str, EngineKind] = Field({}, description="Kinds of single nodes, by their names.")
    flink: Flink = Flink()
    spark: Spark = Spark()
    prism: Prism = Prism()
    dataflow: Dataflow = Dataflow()
    portable: JobServer = JobServer()

    @model_validator(mode="after")
    def _has_address(self) -> Engine:
        if "portable" in self.kinds and self.portable.address is None:
            raise PlacedValueError("is needed for the engine portable: HOST:PORT", ("portable", "address"))
        if "dataflow" in self.kinds:
            self.dataflow.check()
        return self

    @property
    def kinds(self) -> frozenset[EngineKind]:
        """All kinds that some node may use."""
        return frozenset({self.kind, *self.nodes.values()})

    @property
    def elsewhere(self) -> str:
        """The first kind whose workers are on other machines than the node, so that they share a folder; or empty."""
        for kind in sorted(self.kinds):
            server = self.server_of(kind)
            clusters = {
                "flink": self.flink.master != "[local]",
                "spark": not (self.spark.master or "local").startswith("local"),
            }
            if kind == "dataflow" or (server is not None and (server.address is not None or clusters.get(kind))):
                return kind
        return ""

    def of(self, node_id: str) -> Engine:
        """The engine of one node."""
        return self.model_copy(update={"kind": self.nodes.get(node_id, self.kind), "nodes": {}})

    @property
    def job_server(self) -> JobServer | None:
        """The job server of this kind; None where it needs none."""
        return self.server_of(self.kind)

    def server_of(self, kind: EngineKind) -> JobServer | None:
        """The job server of a kind; None where it needs none."""
        servers: dict[str, JobServer] = {
            "flink": self.flink,
            "spark": self.spark,
            "prism": self.prism,
            "portable": self.portable,
        }
        return servers.get(kind)
