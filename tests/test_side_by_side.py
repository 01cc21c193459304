"""Tests that run in several processes come to what they come to in one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.side_by_side import dealt, turns

ROOT = Path(__file__).parents[1]

OUTCOMES = """
import pytest, warnings

@pytest.fixture(scope="module")
def made():
    yield open("made", "a").write("+")
    open("made", "a").write("-")

@pytest.fixture
def bad_end():
    yield
    assert False, "at its end"

@pytest.mark.parametrize("number", range(50))
def test_good(number, made): pass

def test_bad():
    print("what it said")
    assert 1 == 2

def test_end(bad_end): pass
def test_not(): pytest.skip("not here")
def test_warns(): warnings.warn("mind the step")
"""


def run(folder: Path, *words: str, **files: str) -> tuple[int, str]:
    """Exit code and output of pytest on these modules."""
    (folder / "pytest.ini").touch()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.side_by_side", "-p", "no:cacheprovider", *words],
        capture_output=True, cwd=folder, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": ""},
    )  # fmt: skip
    return process.returncode, process.stdout


def test_what_they_report_is_the_same_as_in_one_process(tmp_path: Path) -> None:
    told = []
    for processes in ("1", "3"):
        folder = tmp_path / processes
        folder.mkdir()
        code, out = run(folder, "--processes", processes, "-ra", test_a=OUTCOMES, test_b=OUTCOMES)
        assert code == 1
        assert out.count("\nwhat it said\n") == 2
        assert "AssertionError: at its end" in out and "mind the step" in out
        lines = sorted(re.findall(r"^(?:FAILED|ERROR|SKIPPED) .*", out, re.MULTILINE))
        told.append((lines, *re.findall(r"=+ (.*) in ", out)))
        assert (folder / "made").read_text().count("+") == (folder / "made").read_text().count("-") >= 2
    assert told[0] == told[1]
    assert told[0][1] == "2 failed, 104 passed, 2 skipped, 2 warnings, 2 errors"


def test_each_process_is_another_and_has_temporary_folders_of_its_own(tmp_path: Path) -> None:
    where = """
import os, pytest, time
@pytest.mark.parametrize("number", range(4))
def test_where(number, tmp_path):
    open("where", "a").write(f"{os.getpid()} {tmp_path.parent}\\n")
    while len({line.split()[0] for line in open("where")}) < 2: time.sleep(0.01)
"""
    code, out = run(tmp_path, "--processes", "2", test_a=where, test_b=where)
    assert code == 0, out
    lines = (tmp_path / "where").read_text().split("\n")[:-1]
    assert len(lines) == 8
    assert len(set(lines)) == len({line.split()[0] for line in lines}) == len({line.split()[1] for line in lines}) == 2


def test_a_test_whose_process_dies_has_failed_and_the_rest_goes_on(tmp_path: Path) -> None:
    dies = "import os\ndef test_before(): pass\ndef test_dies(): os._exit(7)\ndef test_after(): pass\n"
    good = {f"test_{letter}": "def test_good(): pass\n" for letter in "bcdefg"}
    code, out = run(tmp_path, "--processes", "2", test_a=dies, **good)
    assert code == 1
    assert "2 failed, 7 passed" in out
    assert out.count("The process that was to run this ended with exit code 7.") == 2


def test_it_ends_at_the_first_failure_if_that_is_wanted(tmp_path: Path) -> None:
    long = "import pytest\n@pytest.mark.parametrize('n', range(500))\ndef test_it(n): assert n != 30\n"
    code, out = run(tmp_path, "--processes", "2", "-x", test_a=long)
    assert code == 1
    assert "1 failed" in out and "stopping after 1 failures" in out
    assert int(re.findall(r"(\d+) passed", out)[0]) < 400


def test_what_takes_longest_comes_first() -> None:
    modules = ("cli/test_a.py", "practice/roles/test_b.py", "test_c.py", "test_c.py", "practice/test_d.py")
    config = SimpleNamespace(rootpath=Path("/clone"))
    items: list[Any] = [SimpleNamespace(path=Path("/clone/tests", module), config=config) for module in modules]
    assert [*turns(items, 1)] == [[4], [1], [2], [3], [0]]


@pytest.mark.parametrize("order", [[], [0], [0, 1], [0, 2, 1], [0, 2, 1, 3], [0, 3, 1, 4, 2]])
def test_turns_are_dealt_from_both_halves_and_none_is_left_out(order: list[int]) -> None:
    assert [*dealt([[turn] for turn in sorted(order)])] == [[turn] for turn in order]
