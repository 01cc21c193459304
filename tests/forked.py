"""Processes of Python that begin with all modules of `bellwire` loaded.

To load them takes longer than most commands do. So a server (`tests/forking.py`) has loaded them and does nothing else,
and what is begun here is forked from it: a process of its own, a child of ours that is piped to, waited for and killed
as any. The start from nothing is tested by what the README shows, and wherever a test is about what is loaded.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from uuid import uuid4

from tests.forking import LARGEST

_ADOPT = 36
"""PR_SET_CHILD_SUBREAPER: a process whose parent has ended becomes a child of the nearest above it that says so."""


class Forked(subprocess.Popen[str]):
    """`python WORDS`, which begin with `-m` or `-c`, in a session of its own and with just this environment. Streams as
    for any Popen, of text."""

    def __init__(self, *words: object, cwd: Path, environ: Mapping[str, str], stdin: Any = subprocess.DEVNULL,
                 stdout: Any = subprocess.PIPE, stderr: Any = subprocess.PIPE) -> None:  # fmt: skip
        given: list[str] = [*map(str, words)]
        self._order = {"words": given, "cwd": str(cwd), "environ": dict(environ)}
        super().__init__(given, stdin=stdin, stdout=stdout, stderr=stderr, text=True)

    def _execute_child(self, *given: Any) -> None:
        """In place of fork and exec; all else of the standard library's stays."""
        pipes = given[10:16]  # the ends of standard input, output and error, each first the one that is read
        ends = (pipes[0], pipes[3], pipes[5])
        self.pid = _server().fork(self._order, [number if end == -1 else end for number, end in enumerate(ends)])
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


_COMMAND = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.connect({address!r})
    order = {{"words": sys.argv[1:], "cwd": os.getcwd(), "environ": dict(os.environ)}}
    socket.send_fds(asked, [json.dumps(order).encode()], [0, 1, 2])
    sys.exit(int(asked.recv(100)))
"""


@contextmanager
def command(folder: Path) -> Iterator[None]:
    """`bellwire` as a program in this folder, for shells to find: what it is called with is done by a forked one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        address = f"\0bellwire-{uuid4()}"
        listening.bind(address)
        listening.listen()
        program = folder / "bellwire"
        program.write_text(_COMMAND.format(python=sys.executable, address=address))
        program.chmod(0o755)
        serving = Thread(target=_serve, args=[listening])
        serving.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listening: socket.socket) -> None:
    """One after the other, as a shell gives its commands."""
    while True:
        try:
            asked, _ = listening.accept()
        except OSError:  # it was shut down
            return
        with asked:
            order, (stdin, stdout, stderr), _, _ = socket.recv_fds(asked, LARGEST, 3)
            told = json.loads(order)
            process = Forked("-m", "bellwire", *told["words"], cwd=told["cwd"], environ=told["environ"],
                             stdin=stdin, stdout=stdout, stderr=stderr)  # fmt: skip
            for stream in (stdin, stdout, stderr):
                os.close(stream)
            asked.send(str(process.wait() % 256).encode())


class _Server:
    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with theirs:
            program = [sys.executable, str(Path(__file__).with_name("forking.py")), str(theirs.fileno())]
            # It ends when nobody is left to give it orders.
            self._process = subprocess.Popen(program, env=clean, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._turn = Lock()

    def fork(self, order: Mapping[str, Any], streams: list[int]) -> int:
        with self._turn:
            socket.send_fds(self._orders, [json.dumps(order).encode()], streams)
            pid = self._orders.recv(100)
        assert pid, "the server of forks has ended"
        return int(pid)


@cache
def _server() -> _Server:
    return _Server()
