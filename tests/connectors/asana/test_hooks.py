"""The webhooks: made, looked at and mended, through the real intake."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bellwire.connectors.asana.hooks import SUBSCRIBING, TOPIC
from bellwire.connectors.kit import Connection, repair, standing
from bellwire.errors import Refused
from bellwire.practice import Webhook
from bellwire.practice.asana import Asana, Hook
from tests.connecting import Secrets, call
from tests.connectors.asana.conftest import Connect
from tests.intake.conftest import Intake, Letter, Sender

pytestmark = [pytest.mark.proves("subscriptions"), pytest.mark.asyncio(loop_scope="module")]

ORDERS = Asana.settings["projects"][0]


@pytest.fixture
def yard(team: Asana) -> str:
    """A second project."""
    return str(team.work.add_project({"name": "Yard"})["gid"])


@pytest.fixture
def account(connect: Connect, yard: str) -> Connection:
    """Without webhooks yet."""
    return connect(credentials={"access_token": "practice-access-token"}, projects=[ORDERS, yard])


@pytest_asyncio.fixture(loop_scope="module")
async def intake(account: Connection, tmp_path: Path, blank: Path) -> AsyncIterator[Intake]:
    shutil.copy(blank, tmp_path)
    async with Intake(tmp_path / blank.name, {"team": Sender(account)}).open() as opened:
        yield opened


@pytest.fixture
def url(intake: Intake) -> str:
    return f"http://127.0.0.1:{intake.port}/hooks/team"


async def mend(account: Connection, url: str) -> None:
    """As `bellwire connect` does it."""
    made = await repair(SUBSCRIBING, call(account), url, (TOPIC,))
    if made:
        account.credentials.store(made)


async def well(account: Connection, url: str) -> bool:
    return standing(await SUBSCRIBING.listing(call(account)), url, (TOPIC,)).well


async def send(intake: Intake, sent: Webhook) -> int:
    return (await intake.send("team", Letter(sent.headers, sent.body))).status


async def test_each_project_gets_a_webhook_whose_secret_verifies_what_it_sends(
    account: Connection, team: Asana, intake: Intake, url: str, yard: str
) -> None:
    assert not await well(account, url)
    await mend(account, url)
    assert await well(account, url)
    assert {hook.record["resource"]["gid"] for hook in team.hooks.values()} == {ORDERS, yard}
    assert account.secrets == [hook.secret for hook in team.hooks.values()]
    for project in (ORDERS, yard):
        team.work.add_task({"name": "Pack"}, project)
    sent = team.deliveries()
    assert [await send(intake, each) for each in sent] == [200, 200]
    assert await send(intake, team.heartbeat(min(team.hooks))) == 200


async def test_asked_twice_nothing_happens(account: Connection, team: Asana, url: str) -> None:
    await mend(account, url)
    before, secrets = list(team.hooks), account.secrets
    team.received.clear()
    await mend(account, url)
    assert (list(team.hooks), account.secrets) == (before, secrets)
    assert {request.method for request in team.received} == {"GET"}


@pytest.mark.parametrize("trouble", ["off", "failing", "gone"])
async def test_one_that_brings_nothing_is_made_anew_and_the_other_stays(
    account: Connection, team: Asana, intake: Intake, url: str, trouble: str
) -> None:
    await mend(account, url)
    kept, broken = team.hooks
    if trouble == "off":
        team.hooks[broken].record["active"] = False
    elif trouble == "failing":
        team.fail(broken)
    else:
        del team.hooks[broken]
    assert not await well(account, url)
    await mend(account, url)
    assert await well(account, url)
    assert kept in team.hooks and broken not in team.hooks and len(team.hooks) == 2
    for hook in team.hooks.values():
        team.work.add_task({"name": "Pack"}, hook.record["resource"]["gid"])
    assert [await send(intake, each) for each in team.deliveries()] == [200, 200]


async def test_why_nothing_comes_is_said(account: Connection, team: Asana, url: str) -> None:
    await mend(account, url)
    off, failing = team.hooks
    team.hooks[off].record["active"] = False
    team.fail(failing)
    first, second = (each.trouble for each in await SUBSCRIBING.listing(call(account)))
    assert first == "Asana has turned it off."
    assert second.startswith("Asana can't deliver, and deletes it on 2") and second.endswith(": 503 Busy")


async def test_those_whose_secrets_were_lost_are_made_anew(
    account: Connection, team: Asana, intake: Intake, url: str
) -> None:
    await mend(account, url)
    assert isinstance(account.credentials, Secrets)
    del account.credentials.values["webhook_secret"]
    before = set(team.hooks)
    assert not await well(account, url)
    await mend(account, url)
    assert await well(account, url)
    assert before.isdisjoint(team.hooks) and len(team.hooks) == 2
    team.work.add_task({"name": "Pack"}, ORDERS)
    assert [await send(intake, each) for each in team.deliveries()] == [200]


async def test_other_peoples_webhooks_are_left_alone_and_listed_to_the_last_page(
    account: Connection, team: Asana, url: str
) -> None:
    for number in range(120):
        record = {
            "gid": str(number),
            "active": number > 0,
            "resource": {"gid": ORDERS},
            "target": f"https://else.example.com/{number}",
            "filters": [],
        }
        team.hooks[str(number)] = Hook(record, "theirs")
    await mend(account, url)
    assert len(team.hooks) == 122
    assert len(await SUBSCRIBING.listing(call(account))) == 122


async def test_each_secret_is_kept_before_the_next_webhook_is_made(
    account: Connection, team: Asana, url: str, yard: str
) -> None:
    del team.work.projects[yard]
    with pytest.raises(Refused):
        await mend(account, url)
    (made,) = team.hooks.values()
    assert isinstance(account.credentials, Secrets)
    assert account.secrets == [made.secret]


async def test_an_address_where_nobody_answers_is_said(account: Connection, team: Asana) -> None:
    with pytest.raises(Refused, match="can't reach the address") as refused:
        await mend(account, "http://127.0.0.1:9/hooks/team")
    assert "public_url" in refused.value.remedy
    assert not team.hooks


async def test_without_projects_there_is_nothing_to_subscribe_to(connect: Connect) -> None:
    with pytest.raises(Refused, match="settings name none"):
        await mend(connect(projects=[]), "http://127.0.0.1:9/hooks/team")


async def test_a_secret_that_a_stranger_shakes_hands_with_counts_for_nothing(
    account: Connection, team: Asana, intake: Intake, url: str
) -> None:
    await mend(account, url)
    answer = await intake.send("team", Letter({"X-Hook-Secret": "mine"}, b""))
    assert (answer.status, answer.headers["X-Hook-Secret"]) == (200, "mine")
    scheme = account.webhook
    assert scheme is not None
    forged = {"Content-Type": "application/json"} | scheme.sign(
        b'{"events":[]}', "mine", delivery_id="", now=call(account).clock()
    )
    assert (await intake.send("team", Letter(forged, b'{"events":[]}'))).status == 401


async def test_one_that_is_gone_already_is_taken_away_all_the_same(account: Connection, team: Asana, url: str) -> None:
    await mend(account, url)
    (first, *_) = await SUBSCRIBING.listing(call(account))
    await SUBSCRIBING.remove(call(account), first)
    await SUBSCRIBING.remove(call(account), first)
    assert first.id not in team.hooks
