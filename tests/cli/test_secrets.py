"""`bellwire secrets`: values go in, and never come out."""

import json
import os
import pty
import select
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bellwire.vault import Vault
from tests.cli.conftest import Run, command, environment, spawn

SECRET = "s3cret-of-the-shop"


def kept(project: Path, field: str = "webhook_secret", **environ: str) -> str | None:
    entry = Vault.open(project / "data", environ).find("shop", field)
    return entry.value if entry else None


def read_until(words: bytes, terminal: int) -> bytes:
    """What the terminal shows, until `words` are among it."""
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], 20)[0], f"nothing after {seen!r}"
        seen += os.read(terminal, 1000)
    return seen


def test_a_secret_is_read_from_a_pipe_and_kept(project: Path, bellwire: Run) -> None:
    result = bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin=f"{SECRET}\n")
    assert result.exit_code == 0, result.output
    assert kept(project) == SECRET
    assert SECRET not in result.output


def test_a_secret_is_asked_for_at_a_terminal_without_showing_it(project: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(project)
        os.execvpe(sys.executable, command("secrets", "set", "shop", "webhook_secret"), environment())  # noqa: S606
    seen = read_until(b"hidden", terminal)
    os.write(terminal, f"{SECRET}\n".encode())
    seen += read_until(b"vault.", terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "Acme › Settings › Webhooks › Secret" in seen.decode()
    assert SECRET.encode() not in seen
    assert kept(project) == SECRET


def test_a_secret_is_never_an_argument(project: Path, bellwire: Run) -> None:
    assert bellwire("secrets", "set", "shop", "webhook_secret", SECRET, "--project", project).exit_code == 2
    assert kept(project) is None


@pytest.mark.parametrize("stdin", ["", "\n", "  \n"])
def test_no_value_changes_nothing(project: Path, bellwire: Run, stdin: str) -> None:
    result = bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin=stdin)
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["shpo", "webhook_secret"], "There is no connection 'shpo'.\nThere are: shop, books"),
        (["shop", "webhook_secrt"], "has no credential 'webhook_secrt'.\nDid you mean 'webhook_secret'?"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(project: Path, bellwire: Run, words: list[str], says: str) -> None:
    result = bellwire("secrets", "set", *words, "--project", project, stdin="x")
    assert result.exit_code == 2
    assert says in result.stderr


def test_the_list_says_what_is_needed_and_where_it_comes_from_but_no_value(project: Path, bellwire: Run) -> None:
    bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin=SECRET)
    environ = {"BELLWIRE_SHOP_ACCESS_TOKEN": "t0ken"}
    result = bellwire("secrets", "list", "--json", "--project", project, **environ)
    rows = {(row["connection"], row["field"]): row for row in json.loads(result.stdout)}
    assert {key: row["from"] for key, row in rows.items()} == {
        ("shop", "webhook_secret"): "vault",
        ("shop", "access_token"): "environment",
        ("shop", "backup_token"): "not set (optional)",
        ("books", "access_token"): "missing",
        ("alerts", "urls"): "not set (optional)",
    }
    secret = rows["shop", "webhook_secret"]
    assert secret["age"] == "today"
    assert date.fromisoformat(secret["by"]) == datetime.fromisoformat(secret["set_at"]).date() + timedelta(days=90)
    assert rows["books", "access_token"]["variable"] == "BELLWIRE_BOOKS_ACCESS_TOKEN"
    table = bellwire("secrets", "list", "--project", project, **environ).stdout
    assert "Acme › Settings › Webhooks › Secret" in table
    assert SECRET not in result.stdout + table
    assert "t0ken" not in result.stdout + table


def test_where_alerts_go_is_kept_like_any_secret(project: Path, bellwire: Run) -> None:
    urls = f"json://user:{SECRET}@127.0.0.1/\nmailto://{SECRET}@example.com\n"
    result = bellwire("secrets", "set", "alerts", "urls", "--project", project, stdin=urls)
    assert result.exit_code == 0, result.output
    entry = Vault.open(project / "data", {}).find("alerts", "urls")
    assert entry is not None and entry.value == urls.strip()
    listed = bellwire("secrets", "list", "--project", project).stdout
    assert "Where alerts go" in listed
    assert SECRET not in result.output + listed
    assert "Did you mean 'urls'?" in bellwire("secrets", "set", "alerts", "url", "--project", project).stderr


def test_a_variable_that_hides_the_new_value_is_mentioned(project: Path, bellwire: Run) -> None:
    words = ("secrets", "set", "shop", "access_token", "--project", project)
    result = bellwire(*words, stdin="x", BELLWIRE_SHOP_ACCESS_TOKEN="y")
    assert "BELLWIRE_SHOP_ACCESS_TOKEN is set and goes before the vault" in result.stderr


def test_a_rotated_webhook_secret_is_accepted_beside_the_one_before(project: Path, bellwire: Run) -> None:
    for value in ("first", "second", "third"):
        assert bellwire("secrets", "rotate", "shop", "--project", project, stdin=value).exit_code == 0
    assert [kept(project), kept(project, "webhook_secret_previous")] == ["third", "second"]
    bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin="third")
    assert [kept(project), kept(project, "webhook_secret_previous")] == ["third", ""]


@pytest.mark.parametrize(("words", "hours"), [((), 24), (("--old-for", "3d"), 72)])
def test_the_webhook_secret_from_before_has_an_end_that_is_told(
    project: Path, bellwire: Run, words: tuple[str, ...], hours: int
) -> None:
    bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin="first")
    began = datetime.now(UTC)
    said = bellwire("secrets", "rotate", "shop", *words, "--project", project, stdin="second").stdout
    until = datetime.fromisoformat(kept(project, "webhook_secret_previous_until") or "")
    assert began <= until - timedelta(hours=hours) <= datetime.now(UTC)
    assert f"until {until:%Y-%m-%d %H:%M} UTC" in said


def test_how_long_the_one_before_is_accepted_has_to_be_a_length_of_time(project: Path, bellwire: Run) -> None:
    refused = bellwire("secrets", "rotate", "shop", "--old-for", "a while", "--project", project, stdin="x")
    assert (refused.exit_code, "is no length of time" in refused.stderr) == (2, True)
    assert kept(project) is None


def test_the_vault_gets_a_new_key(project: Path, bellwire: Run) -> None:
    bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin=SECRET)
    before = (project / "data/vault.key").read_text()
    result = bellwire("secrets", "rekey", "--project", project)
    assert "Back it up" in result.stdout
    assert (project / "data/vault.key").read_text() != before
    assert kept(project) == SECRET


def test_the_wrong_key_ends_with_a_sentence(project: Path, bellwire: Run) -> None:
    bellwire("secrets", "set", "shop", "webhook_secret", "--project", project, stdin=SECRET)
    wrong = "A" * 43 + "="
    result = bellwire("secrets", "list", "--project", project, BELLWIRE_VAULT_KEY=wrong)
    assert result.exit_code == 2
    assert "can't be opened with this key" in result.stderr
    assert wrong not in result.output


def test_two_commands_at_once_both_keep_their_value(project: Path) -> None:
    fields = ["webhook_secret", "access_token", "backup_token"]
    running = [spawn("secrets", "set", "shop", field, cwd=project, stdin=subprocess.PIPE) for field in fields]
    for field, process in zip(fields, running, strict=True):
        assert process.stdin is not None
        process.stdin.write(f"value-of-{field}")
        process.stdin.close()
    assert [process.wait() for process in running] == [0, 0, 0]
    assert [kept(project, field) for field in fields] == [f"value-of-{field}" for field in fields]
