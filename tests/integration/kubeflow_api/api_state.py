"""What a server of KFP's v2beta1 API holds, and how each call changes it; every request is checked."""

from __future__ import annotations

import datetime
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.kubeflow_api.fault import Fault
from tests.integration.kubeflow_api.request_check import (
    BadRequestError,
    check_body,
    check_parameters,
    check_pipeline,
    check_trigger,
    display_name,
)
from tests.integration.kubeflow_api.workflow_nodes import workflow_nodes

_BASE = "/apis/v2beta1"
_ONE = r"/([^/:]+)"


@dataclass(frozen=True)
class Call:
    """A request that was carried out, or refused for what it says.

    Attributes:
        method: of HTTP.
        path: with `{id}` for what differs.
        query: names of its parameters, all of which that call of KFP's has.
        models: what its body was checked against: models of kfp-server-api, or the protos of kfp-pipeline-spec.
    """

    method: str
    path: str
    query: tuple[str, ...]
    models: tuple[str, ...]


class AnswerError(Exception):
    """An answer that is an error; its status is one of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class KubeflowApi:
    """The state of the server.

    Attributes:
        url: where it is.
        token: a bearer token that requests must bring; empty: none.
        multi_user: whether lists need a namespace.
        page_size: the most items of a page.
        outcome: of runs that are looked at for the third time.
        requests: method, path and status of each.
        calls: the same but for those that were cut off, or are no calls of v2beta1, and what they were checked by.
        headers: of the last request.
        faults: the next ones.
    """

    def __init__(self) -> None:
        self.url = ""
        self.token = ""
        self.multi_user = False
        self.page_size = 100
        self.outcome = "SUCCEEDED"
        self.requests: list[tuple[str, str, int]] = []
        self.calls: list[Call] = []
        self.headers: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.recurring: dict[str, dict[str, Any]] = {}
        self._specs: dict[str, Any] = {}
        self._looked: dict[str, int] = {}
        self._models: list[str] = []
        self._lock = threading.Lock()
        self._clock = 0

    def count(self, match: str) -> int:
        """How many requests there were."""
        return sum(bool(re.search(match, f"{method} {path}")) for method, path, _ in self.requests)

    def take_fault(self, request: str) -> Fault | None:
        """The fault for a request."""
        with self._lock:
            for fault in self.faults:
                if fault.times and re.search(fault.match, request):
                    fault.times -= 1
                    return fault
        return None

    def handle(self, method: str, path: str, query: dict[str, str], body: Any, upload: bytes | None) -> Any:
        """Carries a request out."""
        if not path.startswith(_BASE):
            raise AnswerError(404, f"no such path: {path}")
        rest = path.removeprefix(_BASE)
        with self._lock:
            for verb, pattern, known, work in self._routes():
                match = re.fullmatch(pattern, rest)
                if verb == method and match:
                    if unknown := sorted(set(query) - set(known)):
                        raise BadRequestError(f"unknown parameters of the query: {unknown}")
                    self._models = []
                    try:
                        return work(*match.groups(), query=query, body=body, upload=upload)
                    finally:
                        called = _BASE + pattern.replace(_ONE, "/{id}")
                        self.calls.append(Call(method, called, tuple(sorted(query)), tuple(self._models)))
        raise AnswerError(404, f"no such call: {method} {path}")

    def _routes(self) -> list[tuple[str, str, tuple[str, ...], Callable[..., Any]]]:
        listing = ("page_token", "page_size", "sort_by", "filter", "namespace")
        in_experiment = (*listing, "experiment_id")
        one = _ONE
        return [
            ("GET", "/healthz", (), lambda **_: {"multi_user": self.multi_user}),
            ("POST", "/pipelines/upload", ("name", "description", "namespace"), self._upload_pipeline),
            ("POST", "/pipelines/upload_version", ("name", "pipelineid", "description"), self._upload_version),
            ("POST", "/pipelines", (), self._create_pipeline),
            ("GET", "/pipelines", listing, self._lister(self.pipelines, "pipelines")),
            ("GET", f"/pipelines{one}", (), lambda key, **_: _of(self.pipelines, key)),
            ("GET", f"/pipelines{one}/versions", listing[:-1], self._list_versions),
            ("GET", f"/pipelines{one}/versions{one}", (), lambda _, key, **__: _of(self.versions, key)),
            ("POST", "/experiments", (), self._create_experiment),
            ("GET", "/experiments", listing, self._lister(self.experiments, "experiments")),
            ("POST", "/runs", (), self._create_run),
            ("GET", "/runs", in_experiment, self._lister(self.runs, "runs")),
            ("GET", f"/runs{one}", ("experiment_id",), self._get_run),
            ("POST", f"/runs{one}:terminate", (), self._terminate_run),
            ("POST", "/recurringruns", (), self._create_recurring),
            ("GET", "/recurringruns", in_experiment, self._lister(self.recurring, "recurringRuns")),
            ("GET", f"/recurringruns{one}", (), lambda key, **_: _of(self.recurring, key)),
            ("POST", f"/recurringruns{one}:enable", (), lambda key, **_: self._set_mode(key, "ENABLE")),
            ("POST", f"/recurringruns{one}:disable", (), lambda key, **_: self._set_mode(key, "DISABLE")),
            ("DELETE", f"/recurringruns{one}", (), self._delete_recurring),
        ]

    def _check(self, body: Any, model: str) -> None:
        self._models.append(model)
        check_body(body, model)

    def _check_pipeline(self, content: bytes | None) -> Any:
        self._models.append("PipelineSpec")
        return check_pipeline(content or b"")

    def _lister(self, held: dict[str, dict[str, Any]], name: str) -> Callable[..., Any]:
        def listed(*, query: dict[str, str], **_: Any) -> Any:
            if self.multi_user and not query.get("namespace") and not query.get("experiment_id"):
                raise BadRequestError("in multi-user mode a namespace is needed")
            found = list(held.values())
            if experiment := query.get("experiment_id"):
                found = [item for item in found if item["experiment_id"] == experiment]
            return self._page(found, name, query)

        return listed

    def _page(self, found: list[dict[str, Any]], name: str, query: dict[str, str]) -> Any:
        wanted = display_name(query.get("filter"))
        found = [item for item in found if wanted in (None, item["display_name"])]
        order = query.get("sort_by", "created_at").split()
        if order[0] != "created_at" or order[1:] not in ([], ["asc"], ["desc"]):
            raise BadRequestError(f"sort_by is not valid: {order}")
        found.sort(key=lambda item: item["created_at"], reverse=order[1:] == ["desc"])
        begin = int(query.get("page_token") or 0)
        end = begin + min(int(query.get("page_size") or 20), self.page_size)
        page: dict[str, Any] = {name: found[begin:end], "total_size": len(found)}
        return {**page, **({"next_page_token": str(end)} if end < len(found) else {})}

    def _list_versions(self, key: str, *, query: dict[str, str], **_: Any) -> Any:
        _of(self.pipelines, key)
        return self._page(
            [item for item in self.versions.values() if item["pipeline_id"] == key], "pipeline_versions", query
        )

    def _create_pipeline(self, *, body: Any, **_: Any) -> Any:
        self._check(body, "V2beta1Pipeline")
        return self._new_pipeline(body.get("display_name"), body.get("namespace", ""))

    def _new_pipeline(self, name: str | None, namespace: str) -> Any:
        if not name:
            raise BadRequestError("name is required")
        if any(item["display_name"] == name for item in self.pipelines.values()):
            raise AnswerError(409, f"a pipeline named {name} is there already")
        return self._add(self.pipelines, "pipeline_id", {"display_name": name, "namespace": namespace})

    def _upload_pipeline(self, *, query: dict[str, str], upload: bytes | None, **_: Any) -> Any:
        self._check_pipeline(upload)
        made = self._new_pipeline(query.get("name"), query.get("namespace", ""))
        self._new_version(made["pipeline_id"], made["display_name"], upload or b"")
        return made

    def _upload_version(self, *, query: dict[str, str], upload: bytes | None, **_: Any) -> Any:
        key = query.get("pipelineid", "")
        _of(self.pipelines, key)
        return self._new_version(key, query.get("name", ""), upload or b"")

    def _new_version(self, pipeline: str, name: str, content: bytes) -> Any:
        spec = self._check_pipeline(content)
        if not 0 < len(name) <= 127:
            raise BadRequestError(f"the name of a version has up to 127 characters: {name!r}")
        if any(item["display_name"] == name and item["pipeline_id"] == pipeline for item in self.versions.values()):
            raise AnswerError(409, f"a version named {name} is there already")
        made = self._add(self.versions, "pipeline_version_id", {"display_name": name, "pipeline_id": pipeline})
        self._specs[made["pipeline_version_id"]] = spec
        return made

    def _create_experiment(self, *, body: Any, **_: Any) -> Any:
        self._check(body, "V2beta1Experiment")
        if any(item["display_name"] == body.get("display_name") for item in self.experiments.values()):
            raise AnswerError(409, "an experiment of that name is there already")
        return self._add(self.experiments, "experiment_id", body)

    def _create_run(self, *, body: Any, **_: Any) -> Any:
        self._check(body, "V2beta1Run")
        if not body.get("display_name"):
            raise BadRequestError("the run name is empty")
        self._check_source(body)
        state = {"state": "PENDING", "storage_state": "AVAILABLE", "finished_at": "1970-01-01T00:00:00Z"}
        return self._add(self.runs, "run_id", {**body, **state})

    def _check_source(self, body: dict[str, Any]) -> None:
        _of(self.experiments, body.get("experiment_id", ""))
        reference = body.get("pipeline_version_reference", {})
        version = _of(self.versions, reference.get("pipeline_version_id", ""))
        if version["pipeline_id"] != reference.get("pipeline_id"):
            raise BadRequestError("the version is of another pipeline")
        spec = self._specs[version["pipeline_version_id"]]
        check_parameters(body.get("runtime_config", {}).get("parameters", {}), spec)

    def _get_run(self, key: str, **_: Any) -> Any:
        run = _of(self.runs, key)
        looked = self._looked[key] = self._looked.get(key, 0) + 1
        if run["state"] in ("PENDING", "RUNNING") and looked > 1:
            run["state"] = "RUNNING" if looked == 2 else self.outcome
        if run["state"] == "CANCELING" and looked > 1:
            run["state"] = "FAILED"  # KFP 2.15 never says CANCELED
            run["state_history"].append({"update_time": self._now(), "state": "FAILED"})
        if run["state"] not in ("PENDING", "RUNNING", "CANCELING"):
            run["finished_at"] = self._now()
        if run["state"] != "PENDING":
            spec = self._specs[run["pipeline_version_reference"]["pipeline_version_id"]]
            run["run_details"] = {"task_details": workflow_nodes(run, spec)}
        return run

    def _terminate_run(self, key: str, **_: Any) -> Any:
        run = _of(self.runs, key)
        if run["state"] not in ("PENDING", "RUNNING"):
            raise BadRequestError("the run has ended already")
        run["state"] = "CANCELING"
        run["state_history"] = [{"update_time": self._now(), "state": "CANCELING"}]
        return {}

    def _create_recurring(self, *, body: Any, **_: Any) -> Any:
        self._check(body, "V2beta1RecurringRun")
        if not body.get("display_name"):
            raise BadRequestError("the recurring run's name is empty")
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise BadRequestError("max_concurrency is not from 1 to 10")
        if body.get("mode") not in ("ENABLE", "DISABLE"):
            raise BadRequestError("mode is neither ENABLE nor DISABLE")
        check_trigger(body.get("trigger", {}))
        self._check_source(body)
        made = self._add(self.recurring, "recurring_run_id", {"service_account": "pipeline-runner", **body})
        self._set_mode(made["recurring_run_id"], body["mode"])
        return made

    def _set_mode(self, key: str, mode: str) -> Any:
        _of(self.recurring, key).update(mode=mode, status=f"{mode}D")
        return {}

    def _delete_recurring(self, key: str, **_: Any) -> Any:
        _of(self.recurring, key)
        del self.recurring[key]
        return {}

    def _add(self, held: dict[str, dict[str, Any]], key: str, fields: dict[str, Any]) -> dict[str, Any]:
        made = {**fields, key: str(uuid.uuid4()), "created_at": self._now()}
        held[made[key]] = made
        return made

    def _now(self) -> str:
        """A second later each time, so that an order is one."""
        self._clock += 1
        begin = datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc)
        return (begin + datetime.timedelta(seconds=self._clock)).isoformat().replace("+00:00", "Z")


def _of(held: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    if key not in held:
        raise AnswerError(404, f"not found: {key}")
    return held[key]
