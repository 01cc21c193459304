"""A Python that has the modules of `bellwire` loaded and makes others of itself: see `tests/forked.py`.

It runs no loop and no thread, and has done nothing but load, so that what it makes is as one that was begun anew.
"""

import atexit
import gc
import json
import os
import pkgutil
import runpy
import socket
import sys
import threading
import traceback
from importlib import import_module
from typing import Any

LARGEST = 1 << 18
"""Bytes of an order."""


def _load() -> None:
    """All that commands load, what they load only when they run among it."""
    import bellwire

    import_module("uvloop")
    for module in pkgutil.walk_packages(bellwire.__path__, "bellwire."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    import_module("bellwire.cli").command()
    gc.collect()
    gc.freeze()


def _serve(orders: socket.socket) -> dict[str, Any] | None:
    """Returns in each process that it makes, with what that is to do; and without, once nobody gives orders any more.

    Who gave the order adopts the process, as the one between the two ends at once."""
    while True:
        order, (*streams,), _, _ = socket.recv_fds(orders, LARGEST, 3)
        if not order:
            return None
        ours, its = socket.socketpair()
        between = os.fork()
        if between:
            its.close()
            os.waitpid(between, 0)
            orders.send(ours.recv(100))
            ours.close()
            for stream in streams:
                os.close(stream)
            continue
        ours.close()
        if os.fork():
            os._exit(0)
        os.setsid()
        its.send(str(os.getpid()).encode())
        its.recv(1)  # until it is closed: never does it see the one between as its parent
        its.close()
        orders.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return dict(json.loads(order))


def _be(words: list[str], cwd: str, environ: dict[str, str]) -> int:
    """What `python WORDS` is, in that folder and with that environment; its exit code."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    kind, what, *rest = words
    sys.path[:] = [cwd if kind == "-m" else "", *filter(None, environ.get("PYTHONPATH", "").split(":")), *sys.path[1:]]
    sys.argv[:] = [kind, *rest]
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(what, {"__name__": "__main__"})  # noqa: S102 - the code of a test
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> None:
    """As Python ends, but that it leaves what it has loaded where it is: to give back each piece of it would take
    longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _load()
    with socket.socket(fileno=int(sys.argv[1])) as given:
        order = _serve(given)
    if order:
        _end(_be(**order))
