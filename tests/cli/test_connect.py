"""`bellwire connect`: consent in the browser, what the account may do, and its webhooks."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import build_opener

import pytest

from bellwire.vault import Vault
from tests.cli.conftest import Run, spawn
from tests.cli.desk import CLIENT, PROJECT, SIGNED_IN, AcmeDesk, acme_desk

BROWSER = build_opener()
HOOK = "http://127.0.0.1:8787/hooks/desk"


@pytest.fixture
def desk() -> Iterator[AcmeDesk]:
    with acme_desk() as running:
        yield running


@pytest.fixture
def at_desk(project: Path, desk: AcmeDesk) -> Path:
    """A project with one connection: to Acme Desk."""
    (project / "connections.toml").write_text(PROJECT.format(url=desk.url))
    for flow in (project / "flows").iterdir():
        flow.unlink()
    return project


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def kept(project: Path, field: str) -> str | None:
    found = Vault.open(project / "data", {}).find("desk", field)
    return found.value if found else None


def consenting(project: Path, *words: object) -> tuple["subprocess.Popen[str]", str]:
    """The command, and the address that it asks the owner to open."""
    process = spawn("connect", "desk", "--project", project, *words, cwd=project, environ=CLIENT | {"BROWSER": "true"})
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Allow it in the browser: "), line
    return process, line.removeprefix("Allow it in the browser: ").strip()


def test_the_owner_consents_in_the_browser_and_webhooks_come(at_desk: Path, desk: AcmeDesk) -> None:
    process, address = consenting(at_desk, "--port", free_port())
    with BROWSER.open(address) as page:
        assert "Thank you" in page.read().decode()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Acme Desk says: company = 7" in out
    assert "Signed in to Tea & Co, sandbox." in out
    assert f"Acme Desk now sends to {HOOK}: ticket.created, ticket.closed." in out
    assert (desk.asked["scope"], desk.asked["prompt"]) == ("tickets:read hooks", "always")
    assert (desk.asked["client_id"], desk.asked["code_challenge_method"]) == ("app", "S256")
    assert [(hook["topic"], hook["url"]) for hook in desk.hooks] == [("ticket.created", HOOK), ("ticket.closed", HOOK)]
    assert [kept(at_desk, field) for field in ("refresh_token", "webhook_secret")] == ["r3fresh", "h00k"]
    assert "s3cret" not in out + err and "r3fresh" not in out + err


def test_an_owner_who_says_no_is_told_how_to_go_on(at_desk: Path, desk: AcmeDesk) -> None:
    desk.says_no = True
    process, address = consenting(at_desk, "--port", free_port())
    with BROWSER.open(address):
        pass
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "Acme Desk gave no consent: access_denied." in err) == (1, True)
    assert kept(at_desk, "refresh_token") is None


def test_an_answer_to_something_else_is_refused(at_desk: Path) -> None:
    port = free_port()
    process, _ = consenting(at_desk, "--port", port)
    with BROWSER.open(f"http://127.0.0.1:{port}/oauth/callback?code=stolen&state=another"):
        pass
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "isn't Acme Desk's answer" in err) == (1, True)


def test_with_a_browser_elsewhere_the_address_is_pasted(at_desk: Path, desk: AcmeDesk) -> None:
    words = ("connect", "desk", "--project", at_desk, "--paste")
    process = spawn(*words, cwd=at_desk, stdin=subprocess.PIPE, environ=CLIENT)
    assert process.stdout is not None
    address = process.stdout.readline().removeprefix("Allow it in the browser: ").strip()
    _, answer = desk.answer("GET", "/oauth/authorize", urlsplit(address).query, b"", signed_in=False)
    out, err = process.communicate(f"{answer}\n", timeout=30)
    assert process.returncode == 0, err
    assert "Signed in to Tea & Co" in out


def test_a_second_time_it_leaves_alone_what_is_as_it_should_be(at_desk: Path, desk: AcmeDesk, bellwire: Run) -> None:
    environ = SIGNED_IN | {"BELLWIRE_DESK_REFRESH_TOKEN": "r3fresh"}
    desk.hooks = [{"id": "x", "url": "https://elsewhere.example", "topic": "ticket.created", "trouble": ""}]
    assert bellwire("connect", "desk", "--project", at_desk, **environ).exit_code == 0
    before = list(desk.hooks)
    again = bellwire("connect", "desk", "--project", at_desk, **environ)
    assert again.exit_code == 0, again.output
    assert f"Its webhooks come to {HOOK}: 2 topics." in again.stdout
    assert desk.hooks == before and len(before) == 3


def test_what_the_vendor_turned_off_is_told_and_made_anew(at_desk: Path, desk: AcmeDesk, bellwire: Run) -> None:
    environ = SIGNED_IN | {"BELLWIRE_DESK_REFRESH_TOKEN": "r3fresh"}
    bellwire("connect", "desk", "--project", at_desk, **environ)
    desk.hooks[0]["trouble"] = "It was turned off after failures."
    checked = bellwire("check", "--project", at_desk, BELLWIRE_DESK_WEBHOOK_SECRET="h00k", **environ)
    assert "warning desk: Acme Desk: It was turned off after failures." in checked.stdout
    assert "warning desk: Acme Desk doesn't send: ticket.created." in checked.stdout
    assert "`bellwire connect desk` has them sent." in checked.stdout
    mended = bellwire("connect", "desk", "--project", at_desk, **environ)
    assert "Made anew: ticket.created. It was turned off after failures." in mended.stdout
    assert sorted(hook["topic"] for hook in desk.hooks) == ["ticket.closed", "ticket.created"]
    assert all(not hook["trouble"] for hook in desk.hooks)


def test_a_right_that_is_missing_ends_it_before_webhooks_are_made(at_desk: Path, desk: AcmeDesk, bellwire: Run) -> None:
    desk.scopes = "tickets:read everything"
    result = bellwire("connect", "desk", "--project", at_desk, BELLWIRE_DESK_REFRESH_TOKEN="r", **SIGNED_IN)
    assert result.exit_code == 1
    assert "missing: hooks" in result.stdout and "more than it has to: everything" in result.stdout
    assert desk.hooks == []


def test_missing_credentials_are_named_where_nobody_can_be_asked(at_desk: Path, bellwire: Run) -> None:
    result = bellwire("connect", "desk", "--project", at_desk)
    assert (result.exit_code, "'desk' has no client_id." in result.stderr) == (1, True)
    assert "bellwire secrets set desk client_id" in result.stderr


def test_a_vendor_far_away_cant_send_to_this_machine_alone(at_desk: Path, desk: AcmeDesk, bellwire: Run) -> None:
    """Told without asking it: the address of the connection is the vendor's own."""
    from bellwire.watch.accounts import out_of_reach

    assert out_of_reach(HOOK, "https://acme.example")
    assert not out_of_reach(HOOK, desk.url)
    assert not out_of_reach("https://hooks.example.com/hooks/desk", "https://acme.example")


def test_an_unknown_connection_is_a_wrong_use(at_desk: Path, bellwire: Run) -> None:
    result = bellwire("connect", "dask", "--project", at_desk)
    assert (result.exit_code, "There is no connection 'dask'." in result.stderr) == (2, True)


def test_a_vendor_without_webhooks_over_its_api_says_where_the_address_goes(
    filled_in: Path, desk: AcmeDesk, bellwire: Run
) -> None:
    path = filled_in / "connections.toml"
    shop = 'connector = "acme_shop"'
    path.write_text(path.read_text().replace(shop, f'{shop}\nbase_url = "{desk.url}"'))
    desk.scopes = "orders:read"
    environ = {"BELLWIRE_SHOP_ACCESS_TOKEN": "acc3ss", "BELLWIRE_SHOP_WEBHOOK_SECRET": "x"}
    result = bellwire("connect", "shop", "--project", filled_in, **environ)
    assert result.exit_code == 0, result.output
    assert "Enter this address at Acme Shop: http://127.0.0.1:8787/hooks/shop" in result.stdout
    assert "Acme › Settings › Webhooks" in result.stdout
