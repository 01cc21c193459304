"""A process that is forked is what one that is begun anew would be."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire import __version__
from tests.forked import Forked, command

ABOUT = """
import json, os, signal, sys
handlers = {each.name: str(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)}
buffers = [sys.stdin.encoding, sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stderr.errors]
print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.path, handlers, buffers, os.getppid(),
    os.getsid(0) == os.getpid(), sorted(os.listdir("/proc/self/fd")), sys.stdin.read()]))
"""
ENDS = ["", "import sys; sys.exit(3)", "raise SystemExit('no')", "1 / 0", "import os; os._exit(5)",
        "import os; os.kill(os.getpid(), 9)", "import atexit; atexit.register(print, 'late'); print('early')",
        "import threading as t, time; t.Thread(target=lambda: (time.sleep(0.1), print('last'))).start()"]  # fmt: skip


def both(code: str, folder: Path, *words: str, stdin: str = "") -> tuple[tuple[int, str, str], ...]:
    """Exit code, output and errors, forked and begun anew."""
    environ = os.environ | {"PYTHONPATH": "/one:/two", "WITH": "this"}
    forked = Forked("-c", code, *words, cwd=folder, environ=environ, stdin=subprocess.PIPE)
    program, pipe = [sys.executable, "-c", code, *words], subprocess.PIPE
    anew = subprocess.Popen(
        program, cwd=folder, env=environ, text=True, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    said = [process.communicate(stdin, timeout=60) for process in (forked, anew)]
    return tuple((process.returncode, *each) for process, each in zip((forked, anew), said, strict=True))


def test_it_has_the_words_folder_environment_streams_signals_and_parent_of_any(tmp_path: Path) -> None:
    forked, anew = both(ABOUT, tmp_path, "a", "b c", stdin="typed")
    assert forked == anew
    assert forked[0] == 0 and str(os.getpid()) in forked[1] and "typed" in forked[1]


@pytest.mark.parametrize("code", ENDS)
def test_it_ends_as_any(code: str, tmp_path: Path) -> None:
    forked, anew = both(code, tmp_path)
    assert forked[:2] == anew[:2]
    assert forked[2].splitlines()[-1:] == anew[2].splitlines()[-1:]


def test_a_module_is_run_as_the_program_and_has_its_own_path(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("import sys\nif __name__ == '__main__':\n    print(sys.argv[1:], __file__)\n")
    process = Forked("-m", "other", "x", cwd=tmp_path, environ=os.environ)
    assert process.communicate(timeout=60)[0] == f"['x'] {tmp_path / 'other.py'}\n"


def test_signals_reach_it_and_nobody_else(tmp_path: Path) -> None:
    code = "import sys; print('begun', flush=True); sys.stdin.read()"
    first, second = (Forked("-c", code, cwd=tmp_path, environ={}, stdin=subprocess.PIPE) for _ in range(2))
    for process in (first, second):
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait(30) == -signal.SIGKILL
    assert second.poll() is None
    second.communicate("", timeout=30)
    assert second.returncode == 0


def test_a_shell_finds_the_command_as_it_finds_any_program(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    environ = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = (
        "cd here; bellwire --version; bellwire nonsense; echo $?; bellwire init shop >told; ls -d shop; head -1 told"
    )
    with command(tmp_path):
        done = subprocess.run(["bash", "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True)
    version, code, made, first = done.stdout.splitlines()
    assert (version, code, made) == (f"bellwire {__version__}", "2", "shop")
    assert first and "nonsense" in done.stderr
