"""The few calls of BigQuery's REST interface that a query makes, on this machine.

https://cloud.google.com/bigquery/docs/reference/rest/v2: jobs.insert, jobs.get, jobs.getQueryResults, tabledata.list.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_BASE = r"/bigquery/v2/projects/(?P<project>[^/]+)"
_JOB = re.compile(rf"{_BASE}/jobs/(?P<job>[^/]+)")
_RESULTS = re.compile(rf"{_BASE}/queries/(?P<job>[^/]+)")
_DATA = re.compile(rf"{_BASE}/datasets/[^/]+/tables/[^/]+/data")
_PAGE = 2


class BigQueryService:
    """Answers every query with the same rows, two a page.

    Args:
        fields: of the schema: name, type and mode.
        rows: cells as the service writes them, all of them text or None.
        statement: what a dry run says of the statement.
        errors: by call (insert, dry, results), the status, reason and message that answer it.
        silent: the call that is not answered.

    Attributes:
        configurations: of the jobs that were asked for.
        endpoint: where it listens.
    """

    def __init__(
        self,
        fields: Sequence[tuple[str, str, str]],
        rows: Sequence[Sequence[Any]],
        statement: str = "SELECT",
        errors: Mapping[str, tuple[int, str, str]] | None = None,
        silent: str = "",
    ) -> None:
        self._schema = {"fields": [dict(zip(("name", "type", "mode"), field, strict=True)) for field in fields]}
        self._rows = [{"f": [{"v": cell} for cell in row]} for row in rows]
        self._statement, self._errors = statement, errors or {}
        self._silent, self._ended = silent, threading.Event()
        self.configurations: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(*service.get(self.path))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(*service.insert(body))

            def _send(self, status: int, answer: dict[str, Any]) -> None:
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> BigQueryService:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def insert(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """jobs.insert."""
        self.configurations.append(body["configuration"])
        dry = body["configuration"].get("dryRun", False)
        return self._error("dry" if dry else "insert") or (200, self._job(body["jobReference"], dry))

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """The other calls."""
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if found := _JOB.fullmatch(url.path):
            return self._error("job") or (200, self._job({"projectId": found["project"], "jobId": found["job"]}, False))
        if found := _RESULTS.fullmatch(url.path):
            reference = {"projectId": found["project"], "jobId": found["job"], "location": "EU"}
            answer = {"jobComplete": True, "jobReference": reference, "schema": self._schema}
            error = self._error("results") if "pageToken" in asked else None
            return error or (200, {**answer, **self._page(asked)})
        if _DATA.fullmatch(url.path):
            return self._error("results") or (200, self._page(asked))
        return 404, {"error": {"code": 404, "message": path, "errors": [{"reason": "notFound"}]}}

    def _page(self, asked: Mapping[str, str]) -> dict[str, Any]:
        first = int(asked.get("pageToken") or asked.get("startIndex") or 0)
        count = min(_PAGE, int(asked.get("maxResults", _PAGE)))
        last = first + count
        page: dict[str, Any] = {"totalRows": str(len(self._rows)), "rows": self._rows[first:last]}
        return {**page, "pageToken": str(last)} if last < len(self._rows) else page

    def _job(self, reference: Mapping[str, Any], dry: bool) -> dict[str, Any]:
        statistics = {"statementType": self._statement, "totalBytesProcessed": "1024", "schema": self._schema}
        table = {"projectId": reference["projectId"], "datasetId": "_anonymous", "tableId": "result"}
        return {
            "kind": "bigquery#job",
            "jobReference": {"location": "EU", **reference},
            "configuration": {
                "jobType": "QUERY",
                "dryRun": dry,
                "query": {"query": "", "destinationTable": table, "useLegacySql": False},
            },
            "status": {"state": "DONE"},
            "statistics": {"totalBytesProcessed": "1024", "query": statistics},
        }

    def _error(self, call: str) -> tuple[int, dict[str, Any]] | None:
        if call == self._silent:
            self._ended.wait()
        if call not in self._errors:
            return None
        status, reason, message = self._errors[call]
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        return status, {"error": error}
