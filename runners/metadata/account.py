"""User and password of a database server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from configs.secret import SecretUrl
from configs.store_url import StoreUrl
from schemas.errors import RunError, SettingsError


@dataclass(frozen=True)
class Account:
    """Who logs in.

    Attributes:
        user: name.
        password: secret; not in the repr.
        source: where the password comes from, for messages.
    """

    user: str
    password: str = field(repr=False)
    source: str

    @classmethod
    def of(cls, url: SecretUrl, parsed: StoreUrl, environment: Mapping[str, str]) -> Account:
        """The account that a store's URL names.

        Raises:
            SettingsError: the password's variable is not set, or its file cannot be read.
        """
        file = parsed.parameters.get("password_file")
        if file:
            return cls(parsed.user, _read(file), f"the file {file}")
        shown = parsed.password if parsed.password in url.masked else "metadata.url"
        source = f"the variable {shown.strip('${}')}" if shown.startswith("$") else shown
        return cls(parsed.user, url.reveal_part(parsed.password, environment), source)

    def refused(self, place: str, received: object) -> RunError:
        """The error for a server that does not let this account in."""
        return RunError(
            "The metadata store refuses the user or the password.",
            where=place,
            received=received,
            fix=f"Check the user in metadata.url, and the password, which comes from {self.source}.",
        )


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        what, received = "The password file of the metadata store cannot be read.", str(error.strerror)
    except UnicodeDecodeError:
        what, received = "The password file of the metadata store is not UTF-8 text.", None
    raise SettingsError(
        what,
        where="metadata.url, parameter password_file",
        received=f"{file}: {received}" if received else file,
        fix="Name a file that this user may read, with the password and nothing else.",
    )
