from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.engine import Engine


def message(**engine: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        Engine.model_validate(engine)
    return str(raised.value.errors()[0]["msg"])


def test_everything_has_a_default() -> None:
    engine = Engine()
    assert (engine.kind, engine.flink.master, engine.spark.master) == ("auto", "[local]", None)


@pytest.mark.parametrize("address", ["localhost:8099", "10.0.0.7:1", "jobs.example.com:65535"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    assert Engine.model_validate({"flink": {"address": address}}).flink.address == address


@pytest.mark.parametrize("address", ["localhost", ":8099", "localhost:", "http://localhost:8099", "a b:1", "a:65536"])
def test_anything_else_is_none(address: str) -> None:
    assert message(spark={"address": address}) == "Value error, must be HOST:PORT"


@pytest.mark.parametrize(("kind", "name"), [("pool", "address"), ("container", "image")], ids=lambda one: str(one))
def test_workers_of_a_kind_need_what_makes_them(kind: str, name: str) -> None:
    assert message(flink={"workers": {"kind": kind}}) == f"Value error, is needed for workers of the kind {kind}"
    workers = {"kind": kind, name: "here:1"}
    assert getattr(Engine.model_validate({"flink": {"workers": workers}}).flink.workers, name) == "here:1"


def test_workers_of_a_kind_need_nothing_else() -> None:
    said = message(flink={"workers": {"kind": "loopback", "image": "ours:1"}})
    assert said == "Value error, must be left out for workers of the kind loopback"


def test_prism_starts_no_processes() -> None:
    assert message(prism={"workers": {"kind": "process"}}) == "Value error, cannot be process: Prism starts none"


@pytest.mark.parametrize("engine", [{"kind": "portable"}, {"nodes": {"Transform": "portable"}}], ids=["all", "one"])
def test_portable_is_somebodys_job_server(engine: dict[str, Any]) -> None:
    assert message(**engine) == "Value error, is needed for the engine portable: HOST:PORT"
    given = Engine.model_validate({**engine, "portable": {"address": "localhost:8099"}})
    assert "portable" in given.kinds


def test_dataflow_is_refused_where_its_workers_see_no_folder_of_ours() -> None:
    given = {"project": "trips", "region": "europe-west4", "temp_location": "gs://trips/tmp", "image": "ours:1"}
    assert "share no file system" in message(kind="dataflow", dataflow=given)
    assert message(kind="dataflow", dataflow={"mounted": True, "region": "europe-west4"}) == (
        "Value error, must also have project, temp_location, image for the engine dataflow"
    )
    Engine.model_validate({"kind": "dataflow", "dataflow": {**given, "mounted": True}})


def test_a_node_may_have_an_engine_of_its_own() -> None:
    engine = Engine.model_validate({"kind": "inline", "nodes": {"Transform": "flink"}})
    assert engine.kinds == {"inline", "flink"}
    assert (engine.of("Transform").kind, engine.of("StatisticsGen").kind) == ("flink", "inline")
    assert engine.of("StatisticsGen").kinds == {"inline"}


def test_some_kinds_have_job_servers() -> None:
    engine = Engine.model_validate({"portable": {"address": "localhost:8099"}})
    kinds = ("flink", "spark", "prism", "portable")
    served = {kind: engine.model_copy(update={"kind": kind}).job_server for kind in kinds}
    assert served == {"flink": engine.flink, "spark": engine.spark, "prism": engine.prism, "portable": engine.portable}


@pytest.mark.parametrize("kind", ["auto", "inline", "direct"])
def test_others_have_none(kind: str) -> None:
    assert Engine.model_validate({"kind": kind}).job_server is None
