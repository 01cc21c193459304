"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, gone with them."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg


def _programs() -> Path:
    """Debian keeps them apart from what people call."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    assert program, "PostgreSQL isn't installed: `scripts/setup dev` does that"
    return Path(program).resolve().parent


_MEMORY, _ENOUGH = Path("/dev/shm"), 4 << 30
"""A file system that is no disk, and how many bytes have to be free there: to make and copy files takes a fifth."""


class Server:
    """`start` it, and `close` it. `durable`: what it has committed is on the disk."""

    def __init__(self, *, durable: bool) -> None:
        in_memory = not durable and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH
        self.folder = Path(tempfile.mkdtemp(prefix="bw-pg-", dir=_MEMORY if in_memory else None))
        self._programs = _programs()
        self._options = [] if durable else ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        # It refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        subprocess.run(
            [self._programs / "initdb", "-D", self.folder / "data", "-U", "bellwire", "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True, capture_output=True, user=self._user, group=self._user, extra_groups=[] if self._user else None,
            cwd=self.folder,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, name: str) -> str:
        return f"postgresql://bellwire@/{name}?host={self.folder}"

    def start(self) -> None:
        options = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=200", *self._options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *(w for o in options for w in ("-c", o))],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True,
                user=self._user, group=self._user, extra_groups=[] if self._user else None,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.run("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())

    def stop(self) -> None:
        """At once, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def crash(self) -> None:
        """At once, and nothing tidied up: what was committed is to be found in its log at the next start."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)
        self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)
