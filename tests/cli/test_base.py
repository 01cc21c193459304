"""What all commands have in common: help, exit codes, and that nobody is shown a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bellwire import __version__
from bellwire.cli import app
from bellwire.cli.base import Commands, print_rows, printable
from bellwire.errors import NotFound
from tests.cli.conftest import Run, spawn


def commands_of(group: typer.Typer) -> list[list[str]]:
    """Every command, as its words."""
    found = [[info.name or info.callback.__name__] for info in group.registered_commands if info.callback]
    for inner in group.registered_groups:
        assert inner.typer_instance is not None and inner.name is not None
        found += [[inner.name], *([inner.name, *words] for words in commands_of(inner.typer_instance))]
    return found


def test_the_version_is_the_packages(bellwire: Run) -> None:
    assert bellwire("--version").output == f"bellwire {__version__}\n"


@pytest.mark.parametrize("words", commands_of(app), ids=" ".join)
def test_every_command_has_help_with_an_example_that_names_it(bellwire: Run, words: list[str]) -> None:
    result = bellwire(*words, "--help")
    assert result.exit_code == 0
    is_group = "COMMAND [ARGS]" in result.output
    assert is_group or f"Example: bellwire {' '.join(words)}" in result.output


@pytest.mark.parametrize("words", [[], ["exception"]])
def test_a_list_of_commands_has_their_first_sentences_in_full(bellwire: Run, words: list[str]) -> None:
    listed = bellwire(*words, "--help").output.partition("Commands:\n")[2]
    assert listed.count(".\n") == len(re.findall(r"^  \S", listed, re.MULTILINE)) and "..." not in listed


def test_commands_stand_in_the_order_of_use(bellwire: Run) -> None:
    listed = [line.split()[0] for line in bellwire("--help").output.partition("Commands:\n")[2].splitlines()]
    wanted = [name for name in ("init", "secrets", "check", "practice", "flow") if name in listed]
    assert [name for name in listed if name in wanted] == wanted


def test_help_comes_quickly(tmp_path: Path) -> None:
    """Nothing heavy is loaded before a command needs it. Counted in modules: seconds depend on who else is at work."""
    code = "import sys, bellwire.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"aiohttp", "sqlalchemy", "pydantic", "starlette", "uvicorn", "jinja2", "ruamel.yaml", "cryptography"}
    assert heavy & set(loaded) == set()


SERVING = {"demo", "up"}
"""These serve the desk; a pilot and `worker` load what they need of the rest."""
ASKED = [
    *("check", "status", "dictionary", "secrets list", "connector list", "connector show shopify", "flow list"),
    *("flow show order_to_cash", "flow check", "event list", "event show 1", "run list", "run show 1", "todo list"),
    *("exception list", "exception show 1", "exception dismiss 1 --reason Done.", "alert list", "records list"),
    *("audit log", "reconcile shop", "send-test shop"),
]


def test_only_what_serves_the_desk_waits_for_it(lived_in: tuple[Path, dict[str, str]], shop: Path) -> None:
    """The API's framework alone takes longer to load than most commands take for everything else."""
    code = f"""
import sys
from typer.testing import CliRunner
import bellwire.app
from bellwire.cli import app
for words in {ASKED}:
    result = CliRunner().invoke(app, [*words.split(), "--project", {str(shop)!r}] if words != "dictionary" else [words])
    assert "Traceback" not in result.output and result.exit_code != 2, (words, result.output)
    for name in ("fastapi", "bellwire.desk"):
        assert name not in sys.modules, (words, name)
"""
    environ = {**os.environ, **lived_in[1]}
    done = subprocess.run([sys.executable, "-c", code], cwd=shop, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr


def test_shells_can_complete(bellwire: Run) -> None:
    assert "--install-completion" in bellwire("--help").output


@pytest.mark.parametrize("words", [["chekc"], ["check", "--nonsense"], ["secrets", "set"], ["practice", "--port", "x"]])
def test_wrong_usage_ends_with_2(bellwire: Run, words: list[str]) -> None:
    result = bellwire(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_misspelt_command_gets_a_suggestion(bellwire: Run) -> None:
    assert "Did you mean 'check'?" in bellwire("chekc").output


@pytest.mark.parametrize("words", [["secrets", "list"], ["flow", "list"]])
def test_a_folder_without_a_project_ends_with_2_and_the_way_out(
    tmp_path: Path, bellwire: Run, words: list[str]
) -> None:
    result = bellwire(*words, "--project", tmp_path)
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{tmp_path}/bellwire.toml: There is no Bellwire project here")
    assert "bellwire init DIR" in second


def own_app(error: BaseException | Callable[[], None]) -> typer.Typer:
    made = typer.Typer(cls=Commands, pretty_exceptions_enable=False)

    @made.command()
    def fail() -> None:
        if isinstance(error, BaseException):
            raise error
        error()

    @made.command()
    def other() -> None: ...

    return made


def test_an_error_is_a_sentence_and_its_remedy_on_a_line_of_its_own() -> None:
    result = CliRunner().invoke(own_app(NotFound("There is no run 7.", remedy="See `bellwire run list`.")), ["fail"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "There is no run 7.\nSee `bellwire run list`.\n"


def test_a_file_that_cant_be_used_is_a_sentence_with_its_name(tmp_path: Path) -> None:
    def fail() -> None:
        (tmp_path / "no-folder" / "a.toml").write_text("x")

    result = CliRunner().invoke(own_app(fail), ["fail"])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{tmp_path}/no-folder/a.toml can't be used: No such file or directory.\n")


@pytest.mark.parametrize("words", [["demo", "--once"], ["pilot", "order_to_cash"]])
def test_a_log_level_that_is_none_names_the_variable(bellwire: Run, words: list[str]) -> None:
    result = bellwire(*words, BELLWIRE_LOG_LEVEL="loud")
    assert result.exit_code == 2
    assert result.stderr.startswith("BELLWIRE_LOG_LEVEL must be debug, info, warning or error.\n")


def test_what_nobody_expected_is_one_sentence_and_a_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = CliRunner().invoke(own_app(KeyError("x")), ["fail"])
    assert result.exit_code == 1
    assert "Bellwire's fault" in result.stderr and "Traceback" not in result.stderr
    (log,) = tmp_path.glob("bellwire-*.log")
    assert str(log) in result.stderr
    assert "Traceback" in log.read_text() and "KeyError: 'x'" in log.read_text()


def test_developers_get_the_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = CliRunner().invoke(own_app(KeyError("x")), ["fail"], env={"BELLWIRE_LOG_LEVEL": "debug"})
    assert "Traceback" in result.stderr


def test_an_interrupted_command_ends_with_130() -> None:
    assert CliRunner().invoke(own_app(KeyboardInterrupt()), ["fail"]).exit_code == 130


def test_ctrl_c_ends_practice_quietly(tmp_path: Path) -> None:
    running = spawn("practice", "--port", "0", "smtp", cwd=tmp_path)
    assert running.stdout is not None and running.stderr is not None
    while "Ctrl-C" not in running.stdout.readline():
        assert running.poll() is None, running.stderr.read()
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert running.stderr.read() == ""


def test_a_closed_pipe_is_quiet(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    running = spawn("flow", "list", cwd=project, stdout=writer)
    os.close(writer)
    assert running.wait(60) == 141
    assert running.stderr is not None and running.stderr.read() == ""


def test_output_that_is_no_terminal_has_no_colours_and_long_lines_stay_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "word " * 60
    print_rows([{"a": long, "b": "[red]x[/red] :smile:"}], {"a": "A", "b": "B"}, as_json=False)
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert long.strip() in output
    assert "[red]x[/red] :smile:" in output


def test_json_listings_are_complete_and_unabridged(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"a": "x" * 300, "hidden": Path("y")}], {"a": "A"}, as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"a": "x" * 300, "hidden": "y"}]


def test_an_empty_listing_is_a_sentence_or_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], {"a": "A"}, as_json=False, empty="No runs.")
    print_rows([], {"a": "A"}, as_json=True)
    assert capsys.readouterr().out == "No runs.\n[]\n"


def test_a_vendors_words_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\rc\n\td é") == "a�[2Jb�c\n\td é"
