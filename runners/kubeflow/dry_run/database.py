"""A throw-away PostgreSQL or MariaDB for the metadata of one dry run, from what is installed on this machine."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distribution.free_ports import free_ports
from runners.interrupt import uninterrupted
from runners.worker import die_with
from schemas.errors import SetupError

PASSWORD_VARIABLE = "DRY_RUN_METADATA_PASSWORD"
"""The environment variable that tasks get the password in."""
KINDS = ("postgresql", "mysql")
_USER = "dryrun"
_DATABASE = "metadata"
_START_SECONDS = 60.0
_PREFIX = "dry-run-database-"
_INSTALL = "apt-get install postgresql, or mariadb-server; or name a store with --metadata-url."


@dataclass(frozen=True)
class Database:
    """A server that runs.

    Attributes:
        kind: of `KINDS`.
        program: what runs, for people.
        url: for metadata.url; the password is a variable.
        password: of that variable.
    """

    kind: str
    program: str
    url: str
    password: str


@contextlib.contextmanager
def throw_away_database(*kinds: str) -> Iterator[Database]:
    """Starts one on a free port of this machine only, and ends and removes it.

    The kernel ends it when this process dies in any other way.

    Args:
        kinds: of `KINDS`, the first that is installed; none takes any.

    Raises:
        SetupError: none is installed, or it does not start.
    """
    programs: dict[str, Callable[[Path, str], _Server]] = {"postgresql": _postgresql, "mysql": _mysql}
    remove_left_over()
    missing = []
    for name in kinds or KINDS:
        account = _account({"postgresql": "postgres", "mysql": "mysql"}[name])
        prefix = f"{_PREFIX}{os.getpid()}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp", ignore_cleanup_errors=True) as folder:
            if account is not None:
                os.chown(folder, account.pw_uid, account.pw_gid)
            try:
                server = programs[name](Path(folder), secrets.token_hex(16))
            except _NotInstalledError as program:
                missing.append(str(program))
                continue
            with server.running(account) as database:
                yield database
            return
    raise SetupError(
        "No database server is installed for the metadata of the dry run.",
        received=f"no {', no '.join(missing)}",
        fix=f"On Debian or Ubuntu: {_INSTALL}",
    )


def remove_left_over() -> None:
    """Removes the files of databases whose dry run was killed; the kernel has ended their servers."""
    for folder in Path("/tmp").glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)  # of another user: not ours to remove


class _NotInstalledError(Exception):
    """A program is missing."""


@dataclass(frozen=True)
class _Server:
    scheme: str
    folder: Path
    port: int
    password: str
    prepare: Sequence[Sequence[str]]
    start: Sequence[str]
    stop: signal.Signals
    connect: Callable[[], Any]  # makes user and database where that is due, and raises until it answers

    @contextlib.contextmanager
    def running(self, account: pwd.struct_passwd | None) -> Iterator[Database]:
        for command in self.prepare:
            done = subprocess.run(command, **self._own(account), capture_output=True, text=True)
            if done.returncode:
                raise _failed(command[0], done.stderr or done.stdout)
        with open(self.folder / "server.log", "wb") as log, uninterrupted():
            parent = os.getpid()
            process = subprocess.Popen(
                self.start,
                **self._own(account),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C ends the tasks first
                preexec_fn=lambda: die_with(parent),
            )
        try:
            self._wait(process)
            url = f"{self.scheme}://{_USER}:${{{PASSWORD_VARIABLE}}}@127.0.0.1:{self.port}/{_DATABASE}"
            yield Database(self.scheme, Path(self.start[0]).name, url, self.password)
        finally:
            process.send_signal(self.stop)
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _own(self, account: pwd.struct_passwd | None) -> dict[str, Any]:
        """Folders and user: the account may not write to the temporary folder of this user."""
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        return {"cwd": self.folder, "env": {**os.environ, "TMPDIR": str(self.folder)}, **owner}

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect()
                return
            except Exception as error:  # each driver has its own for a server that is not there yet
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    raise _failed(self.start[0], f"{log[-1000:]}\n{error}") from error
            time.sleep(0.05)


def _postgresql(folder: Path, password: str) -> _Server:
    import pg8000.dbapi

    initdb, postgres = _find("initdb"), _find("postgres")
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(password)
    _owned_as(folder, secret)
    port = free_ports(1)[0]
    data = str(folder / "data")

    def connect() -> None:
        with contextlib.closing(
            pg8000.dbapi.connect(_USER, host="127.0.0.1", port=port, password=password, database="postgres")
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,))
            if not cursor.fetchall():
                cursor.execute(f"CREATE DATABASE {_DATABASE}")

    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    return _Server(
        scheme="postgresql",
        folder=folder,
        port=port,
        password=password,
        prepare=[[initdb, "-D", data, "-U", _USER, "--pwfile", str(secret), "--auth=scram-sha-256", "--no-sync"]],
        start=[postgres, "-D", data, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
        stop=signal.SIGINT,  # at once: clients are cut off
        connect=connect,
    )


def _mysql(folder: Path, password: str) -> _Server:
    import pymysql

    data, place = f"--datadir={folder}/data", f"{folder}/socket"
    install, server = _find("mariadb-install-db"), _find("mariadbd")  # ML Metadata cannot log in to MySQL 8 and later
    prepare = [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"]
    port = free_ports(1)[0]

    def connect() -> None:
        with pymysql.connect(unix_socket=place, user="root") as connection:
            cursor = connection.cursor()
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {_DATABASE}")
            cursor.execute(f"CREATE USER IF NOT EXISTS {_USER}@'127.0.0.1' IDENTIFIED BY '{password}'")
            cursor.execute(f"GRANT ALL ON {_DATABASE}.* TO {_USER}@'127.0.0.1'")

    options = [f"--socket={place}", f"--pid-file={folder}/pid", "--bind-address=127.0.0.1", f"--port={port}"]
    small = ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    return _Server(
        scheme="mysql",
        folder=folder,
        port=port,
        password=password,
        prepare=[prepare],
        start=[server, "--no-defaults", data, *options, *small],
        stop=signal.SIGTERM,
        connect=connect,
    )


def _find(program: str) -> str:
    """Debian keeps PostgreSQL's programs by version, and off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=_version, reverse=True)
    found = str(versions[0]) if versions else shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        raise _NotInstalledError(program)
    return found


def _version(program: Path) -> float:
    name = program.parts[-3]
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _account(name: str) -> pwd.struct_passwd | None:
    """Who runs the server where this process is root, which servers refuse to be."""
    if os.geteuid():
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = known.get(name) or known.get("nobody")
    if found is None:
        received = f"no account {name}, no account nobody"
        raise SetupError("A database server refuses to run as root.", received=received, fix="Run it as another user.")
    return found


def _owned_as(folder: Path, file: Path) -> None:
    status = folder.stat()
    os.chown(file, status.st_uid, status.st_gid)


def _failed(program: str, text: str) -> SetupError:
    received = text.strip()[-1000:]
    return SetupError(f"{Path(program).name} does not start.", received=received, fix=f"Mend it; else {_INSTALL}")
