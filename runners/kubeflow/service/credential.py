"""How we say who we are: a bearer token or a cookie, from the environment or a file, never from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import SettingsError

TOKEN_VARIABLE = "KF_PIPELINES_TOKEN"
COOKIE_VARIABLE = "KF_PIPELINES_COOKIE"
TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
"""As in kfp: the file with the token that Kubernetes projects into a pod."""
PROJECTED = Path("/var/run/secrets/kubeflow/pipelines/token")


@dataclass(frozen=True)
class Credential:
    """A token, a cookie, or neither.

    Attributes:
        source: where it comes from, for people; empty without one.
        token_file: read anew for each request, as Kubernetes renews the tokens that it projects.
    """

    source: str = ""
    token_file: Path | None = None
    _token: str = field(default="", repr=False)
    _cookie: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """For a request.

        Raises:
            SettingsError: the file with the token cannot be read.
        """
        token = _read(self.token_file) if self.token_file else self._token
        found = {"Authorization": f"Bearer {token}"} if token else {}
        return {**found, "Cookie": self._cookie} if self._cookie else found


def find_credential(environ: Mapping[str, str], token_file: Path | None, cookie_file: Path | None) -> Credential:
    """The one that was named, else what the environment holds.

    Args:
        environ: of the process.
        token_file: with a token alone.
        cookie_file: with what a Cookie header says, e.g. `authservice_session=...`.

    Raises:
        SettingsError: a file cannot be read, or what it holds is no header.
    """
    if cookie_file:
        return Credential(f"The cookie in {cookie_file}", _cookie=_read(cookie_file))
    if token_file:
        _read(token_file)
        return Credential(f"The token in {token_file}", token_file)
    if token := environ.get(TOKEN_VARIABLE):
        return Credential(f"The token in {TOKEN_VARIABLE}", _token=_checked(token, TOKEN_VARIABLE))
    if cookie := environ.get(COOKIE_VARIABLE):
        return Credential(f"The cookie in {COOKIE_VARIABLE}", _cookie=_checked(cookie, COOKIE_VARIABLE))
    projected = Path(environ.get(TOKEN_FILE_VARIABLE) or PROJECTED)
    if projected.is_file():
        return Credential(f"The token in {projected}", projected)
    return Credential()


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        # Not the error itself: of a file that is no text it shows a part.
        received = error.strerror if isinstance(error, OSError) else "no text"
        fix = "Name a file that holds the token, or the cookie, alone."
        raise SettingsError("The credential cannot be read.", where=str(file), received=received, fix=fix) from None
    return _checked(text, str(file))


def _checked(text: str, where: str) -> str:
    value = text.strip().removeprefix("Bearer ").strip()
    if not value or not value.isascii() or not value.isprintable():
        fix = "It is one line of ASCII: the token, or the cookie, alone."
        raise SettingsError("The credential is no text for a header.", where=where, fix=fix)
    return value
