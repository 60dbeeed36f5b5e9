"""User and password of a database server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from configs.secret import SecretUrl
from configs.store_url import StoreUrl
from schemas.errors import SettingsError


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
    def of(cls, url: SecretUrl, parsed: StoreUrl, environment: Mapping[str, str], setting: str) -> Account:
        """The account that a server's URL names.

        Args:
            url: as in the settings.
            parsed: the same, taken apart.
            environment: holds the password's variable.
            setting: which one it is, for messages.

        Raises:
            SettingsError: the password's variable is not set, or its file cannot be read.
        """
        file = parsed.parameters.get("password_file")
        if file:
            return cls(parsed.user, _read(file, setting), f"the file {file}")
        shown = parsed.password if parsed.password in url.masked else setting
        source = f"the variable {shown.strip('${}')}" if shown.startswith("$") else shown
        return cls(parsed.user, url.reveal_part(parsed.password, environment), source)


def _read(file: str, setting: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        what, received = "The password file of a database cannot be read.", str(error.strerror)
    except UnicodeDecodeError:
        what, received = "The password file of a database is not UTF-8 text.", None
    raise SettingsError(
        what,
        where=f"{setting}, parameter password_file",
        received=f"{file}: {received}" if received else file,
        fix="Name a file that this user may read, with the password and nothing else.",
    )
