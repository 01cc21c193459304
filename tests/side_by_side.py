"""Tests in several processes: `pytest --processes 6`.

What all need is made once, before the processes are forked from this one: the modules are loaded and the tests
collected, which takes as long as many hundreds of tests do. The processes take turns at the tests, a few neighbours at
a time, so that what a module sets up is seldom made twice. What they report is reported here as if it happened here.
"""

import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

MOST = 20
"""Tests of a turn, where they are many; where they are few, each process gets some turns."""

Turn = Sequence[int]
"""Places in the list of all tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processes", type=int, default=1, metavar="N", help="run the tests in N processes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if session.config.option.processes < 2 or session.config.option.collectonly or session.testsfailed:
        return None
    together = Together(session)
    try:
        together.run(session.config.option.processes)
    finally:
        together.end()
    return True


def turns(items: Sequence[pytest.Item], most: int) -> Iterator[Turn]:
    """Neighbours from one module. First come the modules that are for the program as a whole, and those of practice:
    their tests take longest, and nobody is to wait for one of them alone in the end."""

    def rank(place: int) -> tuple[bool, int]:
        path = items[place].path
        return items[place].config.rootpath / "tests" / "practice" not in path.parents, len(path.parts)

    for _, one_module in groupby(sorted(range(len(items)), key=rank), lambda place: items[place].path):
        places = list(one_module)
        for start in range(0, len(places), most):
            yield places[start : start + most]


def dealt(turns: Sequence[Turn]) -> Iterator[Turn]:
    """From the first half and from the second, one each: neighbours often wait for the same, and next to tests that
    wait there are to be some that work. But for the module in the middle, those of one stay in their order: what it has
    set up may be as they left it."""
    middle = (len(turns) + 1) // 2
    for pair in zip_longest(turns[:middle], turns[middle:]):
        yield from filter(None, pair)


@dataclass
class _Worker:
    process: BaseProcess
    left: deque[int] = field(default_factory=deque)
    """What it was given and hasn't finished."""


class Together:
    """Here: who begins the processes, gives out the turns and hears what they report."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        at_once = len(session.items) // (4 * session.config.option.processes)
        self._turns = deque(dealt([*turns(session.items, max(1, min(MOST, at_once)))]))
        self._workers: dict[Connection, _Worker] = {}
        self._begun = 0
        # Each process has to take down what its own tests write: into a file that all have inherited, they would all.
        self._capture: Any = session.config.pluginmanager.getplugin("capturemanager")
        self._capture.suspend_global_capture(in_=True)
        # The name of a module as it begins: they are many at a time.
        session.config.pluginmanager.getplugin("terminalreporter").showfspath = False
        sys.stdout.flush()
        sys.stderr.flush()

    def run(self, count: int) -> None:
        for _ in range(min(count, len(self._turns))):
            self._begin()
        while self._workers:
            for connection in wait(list(self._workers)):
                assert isinstance(connection, Connection)
                try:
                    what, told = connection.recv()
                except EOFError:
                    self._over(self._workers.pop(connection))
                else:
                    self._hear(connection, what, told)
            if self._session.shouldfail:
                raise self._session.Failed(self._session.shouldfail)
            if self._session.shouldstop:
                raise self._session.Interrupted(self._session.shouldstop)

    def end(self) -> None:
        for worker in self._workers.values():
            if worker.process.pid is not None:
                os.kill(worker.process.pid, signal.SIGINT)
        for worker in self._workers.values():
            worker.process.join()
        self._capture.resume_global_capture()

    def _begin(self) -> None:
        forking = get_context("fork")
        ours, theirs = forking.Pipe()
        others = [ours, *self._workers]
        self._begun += 1
        process = forking.Process(target=work, args=(self._session, self._begun, theirs, others))
        process.start()
        theirs.close()
        self._workers[ours] = _Worker(process)

    def _hear(self, connection: Connection, what: str, told: Any) -> None:
        worker, hook = self._workers[connection], self._session.config.hook
        match what:
            case "turn":
                turn = self._turns.popleft() if self._turns else ()
                worker.left.extend(turn)
                connection.send(turn)
            case "start":
                hook.pytest_runtest_logstart(**told)
            case "report":
                report = hook.pytest_report_from_serializable(config=self._session.config, data=told)
                hook.pytest_runtest_logreport(report=report)
            case "finish":
                worker.left.popleft()
                hook.pytest_runtest_logfinish(**told)
            case "warning":
                hook.pytest_warning_recorded.call_historic(kwargs=told)

    def _over(self, worker: _Worker) -> None:
        """It has ended: at its end, or too early; then another takes its place."""
        worker.process.join()
        why = f"The process that was to run this ended with exit code {worker.process.exitcode}."
        for item in (self._session.items[place] for place in worker.left):
            report = pytest.TestReport(item.nodeid, item.location, {}, "failed", why, "call")
            self._session.config.hook.pytest_runtest_logreport(report=report)
        if worker.left and self._turns:
            self._begin()


def work(session: pytest.Session, number: int, connection: Connection, others: Iterable[Connection]) -> None:
    """In a process that was begun: ask for turns until there are none."""
    for other in others:
        other.close()
    manager: Any = session.config.pluginmanager
    capture = manager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    manager.unregister(manager.getplugin("terminalreporter"))
    manager.register(_Reporter(session.config, connection))
    folders: Any = session.config._tmp_path_factory  # type: ignore[attr-defined]
    folders._basetemp = folders.mktemp(f"process-{number}", numbered=False)
    try:
        _take_turns(session, connection)
    finally:
        session._setupstate.teardown_exact(None)
        capture.stop_global_capturing()


def _take_turns(session: pytest.Session, connection: Connection) -> None:
    def items() -> Iterator[pytest.Item]:
        while True:
            connection.send(("turn", None))
            turn = connection.recv()
            if not turn:
                return
            yield from (session.items[place] for place in turn)

    coming = items()
    item = next(coming, None)
    while item is not None:
        following = next(coming, None)
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following


class _Reporter:
    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config = config
        self._connection = connection

    def _tell(self, what: str, told: Any) -> None:
        self._connection.send((what, told))

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._tell("start", {"nodeid": nodeid, "location": location})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tell("report", self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._tell("finish", {"nodeid": nodeid, "location": location})

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: tuple[str, int, str] | None
    ) -> None:
        plain = warnings.WarningMessage(
            str(warning_message.message), warning_message.category, warning_message.filename, warning_message.lineno
        )
        self._tell("warning", {"warning_message": plain, "when": when, "nodeid": nodeid, "location": location})
