"""What the API server, or something in front of it, says instead of doing what was asked."""

from __future__ import annotations

import json
import re

from schemas.errors import RunError

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONGEST = 500
_CREATE = "kubectl create token ACCOUNT --audience pipelines.kubeflow.org"


class RefusedError(RunError):
    """The server did not do it.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        code: of gRPC, which the API server itself gives with it; 0 where something in front of it has answered.
    """

    status = 0
    code = 0


def refused(status: int, body: bytes, kind: str, place: str, location: str = "", credential: str = "") -> RefusedError:
    """The error for an answer.

    Args:
        status: of HTTP.
        body: of the answer.
        kind: its content type.
        place: method and URL.
        location: where it redirects to.
        credential: where token or cookie come from, for people; empty without one.
    """
    if location:
        what, fix = "The server sends us elsewhere.", f"Name that place with --host. {_renewal(credential)}"
        received = f"{status}, to {location.partition('?')[0]}"
        if _is_login(location):
            what = "The server wants a login."
            fix = _renewal(credential)
    elif is_page(kind, body):
        found = _TITLE.search(body.decode(errors="replace"))
        received = f"{status}, a web page{f' titled {found[1].strip()!r}' if found else ''}"
        what = "A web page came instead of an answer of the API."
        fix = f"{_renewal(credential)} Or --host is wrong: it ends where /apis/v2beta1 begins."
    else:
        received = f"{status}: {_message(body)}".rstrip(": ")
        what, fix = _KNOWN.get(status, (f"The server answered with {status}.", "See the server's log."))
        fix = fix.replace("{renewal}", _renewal(credential))
        if status not in _KNOWN and status >= 500:
            what, fix = "The API server failed.", "See the log of the pod ml-pipeline; try again later."
    error = RefusedError(what, where=place, received=received, fix=fix)
    error.status, error.code = status, _code(body)
    return error


def unreachable(place: str, reason: object, fix: str) -> RefusedError:
    """The error for no answer at all."""
    return RefusedError("The API server cannot be reached.", where=place, received=reason, fix=fix)


def is_page(kind: str, body: bytes) -> bool:
    """Whether an answer is for people, as of a login or of a proxy."""
    return "html" in kind or body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


_KNOWN = {
    400: ("The server does not take the request.", "The message says what is wrong with it."),
    401: ("The server does not know who asks.", "{renewal}"),
    403: (
        "The server does not allow this.",
        "Ask for the right in that namespace, or name another: --namespace. {renewal}",
    ),
    404: (
        "The server knows no such thing.",
        "Check the id; the lists of `kubeflow runs` and `kubeflow schedule` show ids.",
    ),
    409: ("There is already one of that name.", "Take another name, or use the one that is there."),
    413: ("Something in front of the server refuses a pipeline of this size.", "Raise the limit of the proxy."),
    429: ("The server has too many requests to answer.", "Try again later."),
}


def _renewal(credential: str) -> str:
    if not credential:
        return (
            "Give a token, in the variable KF_PIPELINES_TOKEN or with --existing-token-file FILE: on a cluster, "
            f"`{_CREATE}` makes one. Or the cookie of a login, in the variable KF_PIPELINES_COOKIE."
        )
    return f"{credential} may have expired: renew it, e.g. with `{_CREATE}`."


def _is_login(location: str) -> bool:
    return any(word in location.lower() for word in ("login", "auth", "signin", "oauth", "dex", "accounts.google"))


def _code(body: bytes) -> int:
    try:
        code = json.loads(body)["code"]
    except (ValueError, KeyError, TypeError):
        return 0
    return code if isinstance(code, int) else 0


def _message(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    try:
        content = json.loads(text)
    except ValueError:
        return text[:_LONGEST]
    if isinstance(content, dict):
        for key in ("message", "error_message", "error"):
            if isinstance(content.get(key), str):
                return str(content[key])[:_LONGEST]
    return text[:_LONGEST]
