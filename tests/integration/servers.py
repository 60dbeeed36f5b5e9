"""Private database servers from Debian's packages, each in a temporary folder and on a port that was free."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pg8000.dbapi
import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from distribution.free_ports import free_ports

ROOT = Path(__file__).parents[2]
PASSWORD = "s%c/r@t: 1"
PASSWORD_VARIABLE = "STF_TEST_STORE_PASSWORD"
_COMMAND = """
import sys
from runners import cli
from runners.commands import metadata
cli.COMMANDS = tuple(dict.fromkeys((*cli.COMMANDS, metadata)))
sys.exit(cli.main())
"""


class Server(Protocol):
    """A database server that can be ended and started again on the same data and port."""

    port: int
    tls: Certificate

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def create(self, database: str) -> str: ...

    def create_tls_user(self) -> str: ...

    def drop_connections(self, database: str) -> int: ...


def find(binary: str, *, packages: str) -> Path:
    """A server's binary; on Debian, PostgreSQL's are beside those of its other versions and not on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{binary}"), reverse=True)
    found = shutil.which(binary, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not versions and not found:
        pytest.skip(f"{binary} is not installed: apt-get install {packages}")
    return versions[0] if versions else Path(str(found))


def free_port() -> int:
    """A TCP port on which nothing listens, and that the kernel gives to nobody before a server is prepared for it."""
    return free_ports(1)[0]


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for one address and its key, both PEM files."""

    certificate: Path
    key: Path


def certificate(folder: Path, address: str = "127.0.0.1") -> Certificate:
    """Makes one in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


class _Account:
    """Who runs the servers: they refuse to be root."""

    def __init__(self, *names: str) -> None:
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        self._entry = next((known[name] for name in (*names, "nobody") if name in known), None)

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess."""
        if os.geteuid() or self._entry is None:
            return {}
        return {"user": self._entry.pw_uid, "group": self._entry.pw_gid, "extra_groups": []}

    def owns(self, *paths: Path) -> None:
        """Gives files or folders to it."""
        if not os.geteuid() and self._entry is not None:
            for path in paths:
                os.chown(path, self._entry.pw_uid, self._entry.pw_gid)


class _Process:
    def __init__(self, folder: Path, account: _Account) -> None:
        self.folder, self._account = folder, account
        self._process: subprocess.Popen[Any] | None = None

    def run(self, command: Sequence[str | Path]) -> None:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **self._options)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, command: Sequence[str | Path]) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        # The account may not write to the temporary folder of the tests.
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        return {"cwd": self.folder, "env": environment, **self._account.options}

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def first_line(self, command: Sequence[str | Path]) -> str:
        """Starts, and gives what the process says first."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )
        line: str = self._process.stdout.readline()
        assert line, self.log()
        return line.strip()

    def stop(self, sign: int) -> int:
        """Its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(sign)
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return code

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]


class Postgres:
    """PostgreSQL with a user `ml` who may do everything."""

    def __init__(self, folder: Path, account: _Account) -> None:
        self._process = _Process(folder, account)
        self._postgres = find("postgres", packages="postgresql")
        self.port = free_port()
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        initdb = find("initdb", packages="postgresql")
        self._process.run(
            [initdb, "-D", folder / "data", "-U", "ml", "--pwfile", secret, "--auth=scram-sha-256", "--no-sync"]
        )
        self._folder = folder
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text(f"hostssl all tls all scram-sha-256\nhost all tls all reject\n{rules.read_text()}")
        self.tls = certificate(folder)
        account.owns(self.tls.certificate, self.tls.key)

    def start(self) -> None:
        options: dict[str, object] = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options |= {"ssl": "on", "ssl_cert_file": self.tls.certificate, "ssl_key_file": self.tls.key}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process.start([self._postgres, "-D", self._folder / "data", *settings])
        while True:  # until it answers, or has ended
            try:
                self._connect().close()
            except (pg8000.dbapi.Error, OSError):
                if not self._process.running():
                    raise AssertionError(self._process.log()) from None
            else:
                return

    def stop(self) -> None:
        self._process.stop(signal.SIGINT)  # at once, clients are cut off

    def create_tls_user(self) -> str:
        """A user who gets in only with TLS."""
        with contextlib.closing(self._connect()) as connection:
            connection.cursor().execute(f"CREATE ROLE tls SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        return "tls"

    def create(self, database: str) -> str:
        with contextlib.closing(self._connect()) as connection:
            connection.cursor().execute(f'CREATE DATABASE "{database}"')
        return f"postgresql://ml:${{{PASSWORD_VARIABLE}}}@127.0.0.1:{self.port}/{database}"

    def drop_connections(self, database: str) -> int:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = ''"
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query, (database,))
            return len(cursor.fetchall())

    def _connect(self) -> Any:
        connection = pg8000.dbapi.connect(
            "ml", host="127.0.0.1", port=self.port, password=PASSWORD, database="postgres", application_name="tests"
        )
        connection.autocommit = True
        return connection


class Mysql:
    """MariaDB with a user `ml` who may do everything."""

    def __init__(self, folder: Path, account: _Account) -> None:
        self._process = _Process(folder, account)
        self._mariadbd = find("mariadbd", packages="mariadb-server")
        self.port = free_port()
        install = find("mariadb-install-db", packages="mariadb-server")
        self._process.run(
            [
                install,
                "--no-defaults",
                f"--datadir={folder}/data",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
        )
        self._folder = folder
        self._prepared = False
        self.tls = certificate(folder)
        account.owns(self.tls.certificate, self.tls.key)

    def start(self) -> None:
        self._process.start(
            [
                self._mariadbd,
                "--no-defaults",
                f"--datadir={self._folder}/data",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--socket={self._folder}/socket",
                "--innodb-flush-log-at-trx-commit=0",
                f"--ssl-cert={self.tls.certificate}",
                f"--ssl-key={self.tls.key}",
                f"--pid-file={self._folder}/pid",
                "--skip-name-resolve",
                "--innodb-buffer-pool-size=32M",
            ]
        )
        while True:  # until it answers, or has ended
            try:
                if not self._prepared:
                    self._prepare()
                self._connect().close()
            except (pymysql.Error, OSError):
                if not self._process.running():
                    raise AssertionError(self._process.log()) from None
            else:
                return

    def _prepare(self) -> None:
        with self._root() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE USER ml@'%%' IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute("GRANT ALL ON *.* TO ml@'%'")
        self._prepared = True

    def stop(self) -> None:
        self._process.stop(signal.SIGTERM)

    def create_tls_user(self) -> str:
        """A user who gets in only with TLS."""
        with self._root() as connection:
            connection.cursor().execute("CREATE OR REPLACE USER tls@'%%' IDENTIFIED BY %s REQUIRE SSL", (PASSWORD,))
            connection.cursor().execute("GRANT ALL ON *.* TO tls@'%'")
        return "tls"

    def _root(self) -> Any:
        return pymysql.connect(unix_socket=f"{self._folder}/socket", user="root")

    def create(self, database: str) -> str:
        with self._connect() as connection:
            connection.cursor().execute(f"CREATE DATABASE `{database}`")
        return f"mysql://ml:${{{PASSWORD_VARIABLE}}}@127.0.0.1:{self.port}/{database}"

    def drop_connections(self, database: str) -> int:
        with self._connect() as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database,))
            found = [int(row[0]) for row in cursor.fetchall()]
            for number in found:
                with contextlib.suppress(pymysql.Error):  # it may just have gone by itself
                    cursor.execute(f"KILL {number}")
        return len(found)

    def _connect(self) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="ml", password=PASSWORD)


class Service:
    """`scalable-tf metadata serve` over an SQLite file."""

    def __init__(self, folder: Path) -> None:
        self._process = _Process(folder, _Account())
        self._folder = folder
        self.port = free_port()

    def start(self, *options: str | Path) -> None:
        """Each time on the same port, which was free."""
        url = f"sqlite:///{self._folder}/metadata.sqlite"
        command = [
            sys.executable,
            "-c",
            _COMMAND,
            "metadata",
            "serve",
            "--url",
            url,
            "--port",
            str(self.port),
            *options,
        ]
        self.port = int(self._process.first_line(command).rpartition(":")[2])

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """The exit code."""
        return self._process.stop(sign)

    @property
    def url(self) -> str:
        """For metadata.url."""
        return f"grpc://127.0.0.1:{self.port}"


Started = TypeVar("Started", "Service", "Postgres", "Mysql")


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """ML Metadata's gRPC service."""
    with tempfile.TemporaryDirectory(prefix="stf-") as name, _started(Service(Path(name))) as server:
        yield server


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    find("postgres", packages="postgresql")
    account = _Account("postgres")
    with _folder(account) as folder, _started(Postgres(folder, account)) as server:
        yield server


@contextlib.contextmanager
def mysql() -> Iterator[Mysql]:
    """A MariaDB server, which speaks MySQL's protocol."""
    find("mariadbd", packages="mariadb-server")
    account = _Account("mysql")
    with _folder(account) as folder, _started(Mysql(folder, account)) as server:
        yield server


@contextlib.contextmanager
def _started(server: Started) -> Iterator[Started]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def _folder(account: _Account) -> Iterator[Path]:
    # Not pytest's: the path of a socket is short, and the account has no access to the folders of root.
    with tempfile.TemporaryDirectory(prefix="stf-", dir="/tmp") as name:
        folder = Path(name)
        account.owns(folder)
        yield folder
