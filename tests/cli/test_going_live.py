"""What a person sees and types until a flow with real accounts is live."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from bellwire.practice import Practice
from bellwire.practice.project import write_project
from tests.cli.conftest import Run
from tests.practice.pilots import SHORT, roles
from tests.running import ended, reserved_port, start, until

NOT_YET = "Short isn't live yet: what it would do is noted, and nothing is sent."
TRY = (
    "`bellwire pilot short` tries it; then `bellwire flow mode short live` lets it act."
    ' Without a pilot, that takes a reason (`--reason "…"`).'
)
Here = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one flow whose accounts are real, as far as it says; nobody answers there."""

    async def write() -> None:
        async with Practice(set(roles().values())) as practice:
            write_project(tmp_path, practice, roles(), {"short.yaml": SHORT})

    asyncio.run(write())
    set_environment(tmp_path, "sandbox", "production")
    return tmp_path


@pytest.fixture
def here(bellwire: Run, folder: Path) -> Here:
    return lambda *words: bellwire(*words, "--project", folder)


def set_environment(folder: Path, old: str, new: str) -> None:
    path = folder / "connections.toml"
    path.write_text(path.read_text().replace(f'environment = "{old}"', f'environment = "{new}"'))


def in_check(here: Here) -> list[tuple[str, str, str]]:
    """What `bellwire check` says of the flow, if it isn't all right."""
    found = json.loads(here("check", "--offline", "--json").stdout)
    return [(each["level"], each["sentence"], each["remedy"]) for each in found if each["about"] == "short"][1:]


def test_until_somebody_says_live_everything_says_that_it_isnt_and_what_to_type(here: Here, folder: Path) -> None:
    assert in_check(here) == [("warning", NOT_YET, TRY)]
    assert not (folder / "data/ledger.db").exists(), "to look makes nothing"
    told = f"{NOT_YET} {TRY}\n"
    assert here("flow", "list").stdout.endswith(told) and here("status").stdout.endswith(told)
    assert here("flow", "mode", "short").stdout == f"Short is shadow.\n{told}"
    (row,) = json.loads(here("flow", "list", "--json").stdout)
    assert (row["mode"], row["decided"], row["waits"], row["pilot"]) == ("shadow", False, True, None)
    (row,) = json.loads(here("status", "--json").stdout)["flows"]
    assert (row["flow"], row["waits"]) == ("short", True)


async def test_bellwire_up_says_it_too(folder: Path) -> None:
    with reserved_port() as port:
        process = start("up", "--project", folder, cwd=folder, environ={"BELLWIRE_PORT": str(port)})
        try:

            async def ready() -> bool:
                assert process.poll() is None, (folder / "err.txt").read_text()
                return "Ready." in (folder / "out.txt").read_text()

            await until(ready)
            assert f"{NOT_YET} {TRY}" in (folder / "out.txt").read_text()
        finally:
            process.terminate()
            assert await ended(process) == 0


def test_it_goes_live_after_a_pilot_that_passed_and_not_before(here: Here, folder: Path) -> None:
    refused = here("flow", "mode", "short", "live")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Short stays shadow: it works with real accounts. Its present text hasn't been through a pilot.\n"
        "`bellwire pilot short` tries it. Without one that passed, say why:"
        ' `bellwire flow mode short live --reason "…"` takes it.\n'
    )
    tried = here("pilot", "short")
    assert tried.exit_code == 0, tried.output
    assert tried.stdout.endswith(f"{NOT_YET} Its pilot passed: `bellwire flow mode short live` lets it act.\n")
    (row,) = json.loads(here("flow", "list", "--json").stdout)
    assert (row["pilot"]["ran_on"], row["pilot"]["ready"], row["pilot"]["as_expected"]) == ("practice", True, 10)
    assert here("flow", "mode", "short", "live").stdout == "Short is live.\n"
    assert in_check(here) == []

    # The way back, and forth again.
    assert here("flow", "mode", "short", "manual").stdout == "Short is manual.\n"
    assert here("status").stdout.endswith("Short is manual.\n")
    assert here("flow", "mode", "short", "live").stdout == "Short is live.\n"

    # A word is changed: the business goes on, and hears of it.
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text().replace("Order {{", "Pack {{"))
    assert here("flow", "mode", "short").stdout == "Short is live.\n"
    sentence = "It is live, and stays so. Its present text hasn't been through a pilot."
    assert in_check(here) == [("warning", sentence, "`bellwire pilot short` tries it.")]
    here("flow", "mode", "short", "off")
    assert here("flow", "mode", "short", "live").exit_code == 1


def test_a_pilot_that_failed_is_on_record_and_lets_nothing_go_live(here: Here, folder: Path) -> None:
    path = folder / "flows/short.yaml"
    path.write_text(
        path.read_text().replace(
            'with: {order: "{{ event }}"}', 'with: {order: "{{ event }}"}\n    retry: {attempts: 1}'
        )
    )
    assert here("pilot", "short", "--json").exit_code == 1
    refused = here("flow", "mode", "short", "live")
    assert refused.exit_code == 1
    assert "wasn't ready in its last pilot: 9 of 10 records went as expected." in refused.stderr
    assert here("flow", "mode", "short", "live", "--reason", "We watch it.").stdout == "Short is live.\n"
    (act,) = json.loads(here("audit", "log", "--json").stdout)
    assert (act["what"], act["target"], act["detail"]) == ("switch live", "flow short", "We watch it.")


def test_in_a_sandbox_it_is_live_and_back_to_it_takes_nothing(here: Here, folder: Path) -> None:
    set_environment(folder, "production", "sandbox")
    assert in_check(here) == []
    assert here("flow", "mode", "short").stdout == "Short is live.\n"
    here("flow", "mode", "short", "shadow")
    assert here("flow", "mode", "short", "live").stdout == "Short is live.\n"
    set_environment(folder, "sandbox", "production")
    assert here("flow", "mode", "short").stdout.startswith("Short is shadow.\n")


def test_status_goes_on_without_flows_that_can_be_read(here: Here, folder: Path) -> None:
    (folder / "flows/short.yaml").write_text("name: [")
    told = here("status")
    assert told.exit_code == 0 and "Open exceptions: 0." in told.stdout
    assert "flows/short.yaml" in told.stderr


def by_the_clock(folder: Path, name: str) -> None:
    text = SHORT.replace("name: Short", f"name: {name.title()}")
    text = text.replace("trigger: shop.order.paid", 'trigger: {every: "0 7 * * *", zone: UTC}')
    text = text.replace('with: {order: "{{ event }}"}', "with: {order: none}").replace("{{ event.number }}", "It")
    (folder / f"flows/{name}.yaml").write_text(text)


def test_of_a_flow_that_begins_by_the_clock_nobody_is_told_to_pilot_it(here: Here, folder: Path) -> None:
    by_the_clock(folder, "daily")
    (folder / "flows/short.yaml").unlink()
    live = 'bellwire flow mode daily live --reason "…"'
    (told,) = [line for line in here("flow", "list").stdout.splitlines() if "isn't live yet" in line]
    assert "no pilot can try it" in told and live in told and "bellwire pilot" not in told
    refused = here("flow", "mode", "daily", "live")
    assert refused.exit_code == 1 and live in refused.stderr and "bellwire pilot" not in refused.stderr
    assert here("flow", "mode", "daily", "live", "--reason", "seen in shadow").exit_code == 0
    assert "bellwire pilot daily" not in here("check", "--offline").stdout


def test_many_flows_that_wait_are_told_by_their_names(here: Here, folder: Path) -> None:
    for name in ("daily", "nightly"):
        by_the_clock(folder, name)
    told = here("flow", "list").stdout.splitlines()[-2:]
    assert told == [
        "3 flows aren't live yet; what they would do is noted, and nothing is sent: daily, nightly, short.",
        "`bellwire check` says of each what to type for it to go live.",
    ]
