"""Predictions through REST."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from schemas.errors import ServingError
from serving.client import rest_message as message
from serving.client.client_tls import ClientTls, refuse_plain
from serving.client.columns import columns_of
from serving.client.http_connections import http_connections
from serving.client.other_port import other_port
from serving.client.prediction import Prediction
from serving.client.signature import Signature, chosen
from serving.client.target import Target

_BUSY = 503
_UNREACHED = "Check that the server runs and this is its REST address: TensorFlow Serving's port is 8501."
_FIRST_PAUSE = 0.05


class _Model:
    """What both clients are made of, by httpx's connections for threads or for asyncio."""

    _connections: Any

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        retries: int = 2,
        tls: ClientTls | None = None,
    ) -> None:
        self._call = _Call(url, model, version, label, timeout, retries, tls)
        if tls:
            refuse_plain([self._call.base])
        self._http = http_connections(self._connections, self._call.base, tls, base_url=self._call.base)
        self.address, self.target = self._call.base, self._call.target


class RestClient(_Model):
    """A model behind a REST address. It may be used by several threads.

    Args:
        url: `http://HOST:PORT`, `https://HOST:PORT`, or with the model's path, as `http://HOST:PORT/v1/models/NAME/labels/stable`.
        model: its name, where the address has none.
        version: a number; default: the newest.
        label: such as `stable`.
        timeout: seconds that a request may take, with its repetitions.
        retries: how often one is sent again where the server is not reached, or is too busy (503).
        tls: whom `https://` trusts, and what it shows; default: what httpx trusts, and nothing.

    Attributes:
        address: of the server.
        target: the model that is asked.

    Raises:
        ServingError: the address is none, or names no model.
        SettingsError: `tls` is given for an address in plain text.
    """

    _connections = httpx.Client

    def signature(self, name: str = "") -> Signature:
        """A signature of the model.

        Args:
            name: default: `predict` where the model has it, else `serving_default`.

        Raises:
            ServingError: the server does not answer, refuses, or the model has no such signature.
        """
        return chosen(self.metadata(), name)

    def metadata(self) -> dict[str, Any]:
        """A GetModelMetadataResponse as JSON; errors as `signature`."""
        if self._call.known is None:
            self._call.known = message.answer(self._send("GET", "/metadata"), self._call.where)
        return self._call.known

    def status(self) -> list[dict[str, Any]]:
        """Versions and their states, as the server tells them; errors as `signature`."""
        return _versions(message.answer(self._send("GET", ""), self._call.where), self._call.where)

    def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """Predictions for rows.

        Args:
            columns: the inputs by key: what numpy makes arrays of, [rows, ...] as the signature says.
            signature: default: as `signature`.

        Raises:
            DataError: a column is not what the model takes.
            ServingError: the server does not answer in time, or refuses.
        """
        asked = self.signature(signature)
        content = message.predict_body(columns_of(columns, asked), asked)
        return Prediction(message.outputs(self._send("POST", ":predict", content), asked))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> RestClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, method: str, verb: str, content: bytes | None = None) -> bytes:
        last: httpx.TransportError | None = None
        for seconds, pause in self._call.attempts():
            try:
                answer = self._http.request(method, self._call.path(verb), content=content, timeout=seconds)
                if answer.status_code != _BUSY or pause is None:
                    return self._call.content(answer)
            except httpx.TransportError as error:
                if pause is None or not _is_retried(error):
                    raise self._call.unreached(error) from error
                last = error
            time.sleep(pause)
        raise self._call.unreached(last) from last


class AsyncRestClient(_Model):
    """As RestClient, for asyncio: `signature`, `metadata`, `status`, `predict` and `close` are coroutines."""

    _connections = httpx.AsyncClient

    async def signature(self, name: str = "") -> Signature:
        """As RestClient.signature."""
        return chosen(await self.metadata(), name)

    async def metadata(self) -> dict[str, Any]:
        """As RestClient.metadata."""
        if self._call.known is None:
            self._call.known = message.answer(await self._send("GET", "/metadata"), self._call.where)
        return self._call.known

    async def status(self) -> list[dict[str, Any]]:
        """As RestClient.status."""
        return _versions(message.answer(await self._send("GET", ""), self._call.where), self._call.where)

    async def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """As RestClient.predict."""
        asked = await self.signature(signature)
        content = message.predict_body(columns_of(columns, asked), asked)
        return Prediction(message.outputs(await self._send("POST", ":predict", content), asked))

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncRestClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, method: str, verb: str, content: bytes | None = None) -> bytes:
        last: httpx.TransportError | None = None
        for seconds, pause in self._call.attempts():
            try:
                answer = await self._http.request(method, self._call.path(verb), content=content, timeout=seconds)
                if answer.status_code != _BUSY or pause is None:
                    return self._call.content(answer)
            except httpx.TransportError as error:
                if pause is None or not _is_retried(error):
                    raise await asyncio.to_thread(self._call.unreached, error) from error
                last = error
            await asyncio.sleep(pause)
        raise await asyncio.to_thread(self._call.unreached, last) from last


class _Call:
    """What both clients know of the server, and make of its answers."""

    def __init__(
        self,
        url: str,
        model: str,
        version: int | None,
        label: str | None,
        timeout: float,
        retries: int,
        tls: ClientTls | None,
    ) -> None:
        self.base, given = _split(url)
        if given is not None and model and model != given.model:
            raise ServingError(
                "The address names another model.", where=url, received=model, fix="Name the model once."
            )
        named = (version, label) != (None, None)
        if given is not None and named and (given.version, given.label) not in ((None, None), (version, label)):
            raise ServingError(
                "The address names another version or label.",
                where=url,
                received=label if version is None else version,
                fix="Name the version, or the label, once.",
            )
        if given is None or named:
            given = Target(model or (given.model if given else ""), version, label)
        self.target = given
        self.where = f"{self.base}{message.path(given)}"
        self.known: dict[str, Any] | None = None
        self._timeout, self._retries, self._tls = timeout, retries, tls

    def path(self, verb: str) -> str:
        return message.path(self.target, verb)

    def attempts(self) -> Iterator[tuple[float, float | None]]:
        """Seconds that are left, and the pause after an attempt; None: it is the last."""
        end = time.monotonic() + self._timeout
        for attempt in range(self._retries + 1):
            left = end - time.monotonic()
            pause = _FIRST_PAUSE * 2.0**attempt
            is_last = attempt == self._retries or pause >= left
            if left <= 0:
                return
            yield left, None if is_last else pause
            if is_last:
                return

    def content(self, answer: httpx.Response) -> bytes:
        if answer.status_code == httpx.codes.OK:
            return answer.content
        if answer.status_code == httpx.codes.BAD_REQUEST:  # it may be another version by now
            self.known = None
        raise message.refusal(answer.status_code, answer.content, self.where)

    def unreached(self, error: httpx.TransportError | None) -> ServingError:
        if error is None or isinstance(error, httpx.TimeoutException):
            text = f"no answer in {self._timeout:g} s"
            fix = "Send fewer rows at once, or allow more time."
        else:
            text = str(error) or type(error).__name__
            fix = other_port(self.base, "REST", self._tls) or _UNREACHED
        return ServingError("The model server does not answer.", where=self.where, received=text, fix=fix)


def _is_retried(error: httpx.TransportError) -> bool:
    """A prediction changes nothing, so that whatever is lost on the way can be asked again; time that is up is up."""
    return not isinstance(error, httpx.TimeoutException | httpx.UnsupportedProtocol)


def _versions(found: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    if isinstance(found.get("model_version_status"), list):
        return list(found["model_version_status"])
    raise ServingError(
        "What answers is no model server.",
        where=where,
        received=str(found)[:200],
        fix="Name the REST address of TensorFlow Serving, or of `scalable-tf serve`.",
    )


def _split(url: str) -> tuple[str, Target | None]:
    """Base and, where the address has it, the model."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ServingError(
            "This is no address of a model server.", where="url", received=url, fix="Write http://HOST:PORT."
        )
    before, mark, after = parts.path.partition("/v1/models/")
    base = f"{parts.scheme}://{parts.netloc}{before.rstrip('/')}"
    words = [unquote(word) for word in after.partition(":")[0].strip("/").split("/")]
    if not mark or not words[0]:
        return base, None
    if len(words) == 3 and words[1] == "versions" and words[2].isdigit():
        return base, Target(words[0], int(words[2]))
    if len(words) == 3 and words[1] == "labels":
        return base, Target(words[0], label=words[2])
    if len(words) == 1:
        return base, Target(words[0])
    raise ServingError(
        "This is no address of a model.",
        where="url",
        received=url,
        fix="Write http://HOST:PORT/v1/models/NAME, /versions/N or /labels/LABEL behind it.",
    )
