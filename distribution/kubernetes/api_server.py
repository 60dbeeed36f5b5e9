"""Requests to a Kubernetes API server, with objects as plain dictionaries.

Of the `kubernetes` package only the configuration is used: addresses, certificates and credentials. Its classes for
objects refuse or drop fields that are newer than they, and its errors do not work with the urllib3 of both stacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

_SECONDS = 30.0
"""For a connection, and between two pieces of an answer; a followed log or watch may be silent for longer."""


class ApiError(Exception):
    """The API server refused a request.

    Attributes:
        status: HTTP's; 0 when there was no answer.
        message: the server's own words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ApiServer:
    """Sends requests as the configured account.

    Args:
        configuration: the `kubernetes` client's.
    """

    def __init__(self, configuration: Any) -> None:
        from kubernetes.client.rest import RESTClientObject

        self._configuration = configuration
        self._pool = RESTClientObject(configuration).pool_manager

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """The answer to a request.

        Raises:
            ApiError: it was refused, or there was no answer.
        """
        answer: dict[str, Any] = json.loads(self.text(method, path, query=query, body=body, content_type=content_type))
        return answer

    def text(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> str:
        """The answer to a request, as it is; errors as with `json`."""
        response = self._request(method, path, query, body, content_type, _SECONDS)
        return str(response.data.decode(errors="replace"))

    def lines(self, path: str, *, query: Mapping[str, str]) -> Iterator[str]:
        """The lines of an answer as they come: of a watch, or of a log that is followed; errors as with `json`."""
        from urllib3.exceptions import HTTPError

        response = self._request("GET", path, query, None, "application/json", None)
        rest = b""
        try:
            for piece in response.stream(amt=None, decode_content=False):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
        except (HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error
        finally:
            response.close()
        if rest:
            yield rest.decode(errors="replace")

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        content_type: str,
        patience: float | None,
    ) -> Any:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json, */*", "Content-Type": content_type}
        for setting in self._configuration.auth_settings().values():  # renews a token that has an end
            headers[setting["key"]] = setting["value"]
        try:
            response = self._pool.request(
                method,
                self._configuration.host + path + (f"?{urlencode(query)}" if query else ""),
                body=None if body is None else json.dumps(body),
                headers=headers,
                preload_content=patience is not None,
                timeout=Timeout(connect=_SECONDS, read=patience),
                retries=False,
            )
            if not 200 <= response.status < 300:
                raise ApiError(response.status, _message(response.data.decode(errors="replace")))
        except HTTPError as error:
            raise ApiError(0, str(error)) from error
        return response


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (TypeError, ValueError, KeyError):
        return text
