"""`bellwire reconcile`: what no webhook brought."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.desk import PROJECT, SIGNED_IN, AcmeDesk, acme_desk


@pytest.fixture
def desk() -> Iterator[AcmeDesk]:
    with acme_desk() as running:
        running.tickets = [{"id": number} for number in (1, 2, 3)]
        yield running


@pytest.fixture
def at_desk(project: Path, desk: AcmeDesk) -> Path:
    (project / "connections.toml").write_text(
        PROJECT.format(url=desk.url) + '[chat]\nconnector = "acme_chat"\nenvironment = "sandbox"\n'
    )
    for flow in (project / "flows").iterdir():
        flow.unlink()
    return project


def test_what_is_missing_is_taken_in_once(at_desk: Path, bellwire: Run) -> None:
    first = bellwire("reconcile", "--project", at_desk, **SIGNED_IN)
    assert first.exit_code == 0, first.output
    assert "3 records taken in that no webhook had brought." in first.stdout
    again = bellwire("reconcile", "desk", "--since", "2d", "--project", at_desk, **SIGNED_IN)
    assert "Nothing was missing." in again.stdout
    rows = json.loads(bellwire("reconcile", "--json", "--project", at_desk, **SIGNED_IN).stdout)
    assert rows == [{"connection": "desk", "list": "tickets", "listed": 3, "new": 0, "problem": ""}]


def test_a_vendor_that_doesnt_answer_is_told_and_ends_with_1(at_desk: Path, bellwire: Run) -> None:
    environ = SIGNED_IN | {"BELLWIRE_DESK_ACCESS_TOKEN": "old"}
    result = bellwire("reconcile", "--project", at_desk, **environ)
    assert (result.exit_code, "no longer accepts the sign-in" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("name", "words"), [("dask", "There is no connection 'dask'."), ("chat", "Acme Chat doesn't list what happened.")]
)
def test_one_that_isnt_there_or_lists_nothing_is_said(at_desk: Path, bellwire: Run, name: str, words: str) -> None:
    result = bellwire("reconcile", name, "--project", at_desk, **SIGNED_IN)
    assert (result.exit_code, words in result.stderr) == (2, True)


def test_a_time_that_is_none_is_refused(at_desk: Path, bellwire: Run) -> None:
    assert bellwire("reconcile", "--since", "soon", "--project", at_desk, **SIGNED_IN).exit_code == 2
