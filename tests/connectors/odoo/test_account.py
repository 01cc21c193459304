"""What signing in shows: company, version, groups, keys that end, and whether it is a copy for tests."""

from collections.abc import Mapping

import pytest

from bellwire.connectors.kit import Account, Connection
from bellwire.connectors.odoo import CONNECTOR
from bellwire.connectors.odoo.manifest import MANIFEST
from bellwire.errors import Refused, SignedOut
from bellwire.events import Environment
from bellwire.practice.odoo import OdooSimulator
from tests.connecting import call
from tests.connectors.odoo.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADMIN = "base.group_system"


async def sign_in(erp: Connection) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call(erp))


async def test_the_account(connect: Connect) -> None:
    account = await sign_in(connect())
    assert account.name == "Practice Tea Ltd"
    assert account.detail == "Odoo 19.0, database practice, user bellwire"
    assert account.warnings == ()


@pytest.mark.proves("access")
async def test_groups_that_are_missing_or_too_many_are_told(connect: Connect, odoo: OdooSimulator) -> None:
    assert (await sign_in(connect())).scopes == MANIFEST.scopes
    odoo.groups = {"purchase.group_purchase_user", ADMIN}
    assert (await sign_in(connect())).scopes == ("purchase.group_purchase_user", ADMIN)


@pytest.mark.proves("access")
@pytest.mark.parametrize(("ends", "days"), [("2026-12-09 09:29:00", 14), ("2026-11-25 09:00:00", 0)])
async def test_a_key_that_ends_soon_is_told_ahead(connect: Connect, odoo: OdooSimulator, ends: str, days: int) -> None:
    odoo.tables["res.users.apikeys"][1]["expiration_date"] = ends
    odoo.tables["res.users.apikeys"][2] = odoo.tables["res.users.apikeys"][1] | {"id": 2, "expiration_date": False}
    (warning,) = (await sign_in(connect())).warnings
    assert warning.startswith(f"The API key 'Bellwire' ends in {days} days.")
    assert "bellwire secrets set erp api_key" in warning


async def test_keys_that_the_user_may_not_see_are_no_reason_to_fail(connect: Connect, odoo: OdooSimulator) -> None:
    odoo.hidden.add("res.users.apikeys")
    assert (await sign_in(connect())).warnings == ()


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("admin", "neutral", "host", "environment", "told", "warned"),
    [
        (True, True, "tea.odoo.com", "sandbox", Environment.SANDBOX, ""),
        (True, True, "tea.odoo.com", "production", Environment.SANDBOX, ""),
        (True, False, "tea.odoo.com", "production", None, ""),
        (True, False, "tea.odoo.com", "sandbox", None, "isn't neutralised"),
        (False, True, "tea.odoo.com", "production", None, ""),
        (False, False, "tea.odoo.com", "sandbox", None, ""),
        (False, True, "tea-staging-12.dev.odoo.com", "production", None, "test build's"),
        (False, True, "tea-staging-12.dev.odoo.com", "sandbox", None, ""),
    ],
)
async def test_a_copy_for_tests_is_told_from_the_real_database(
    connect: Connect,
    odoo: OdooSimulator,
    admin: bool,
    neutral: bool,
    host: str,
    environment: str,
    told: Environment | None,
    warned: str,
) -> None:
    odoo.neutralised = neutral
    odoo.groups |= {ADMIN} if admin else set()
    account = await sign_in(connect(host=host, environment=Environment(environment)))
    assert account.environment is told
    assert [warned in each for each in account.warnings] == ([True] if warned else [])


@pytest.mark.proves("version")
async def test_a_newer_odoo_is_noticed(connect: Connect, odoo: OdooSimulator) -> None:
    erp = connect()
    await sign_in(erp)
    assert erp.api.notices == {}
    odoo.version = (20, 0)
    await sign_in(erp)
    assert erp.api.notices == {"server version": "Odoo 20.0 answers; this was made for Odoo 19."}


@pytest.mark.proves("version")
async def test_every_call_is_of_json_2(connect: Connect, odoo: OdooSimulator) -> None:
    await sign_in(connect())
    assert {each.path.rpartition("/")[0].rpartition("/")[0] for each in odoo.received} == {"/json/2", ""}
    assert [each.path for each in odoo.received if not each.path.startswith("/json/2/")] == ["/web/version"]


@pytest.mark.parametrize(("database", "seen"), [("practice", True), ("", True), ("other", False)])
async def test_the_database_is_named_where_a_server_has_several(connect: Connect, database: str, seen: bool) -> None:
    erp = connect(database=database)
    if seen:
        assert (await sign_in(erp)).name == "Practice Tea Ltd"
    else:
        with pytest.raises(Refused, match="no JSON-2 API") as refused:
            await sign_in(erp)
        assert "`database`" in refused.value.remedy


async def test_a_key_that_ended_is_signed_out(connect: Connect, odoo: OdooSimulator) -> None:
    odoo.keys.clear()
    with pytest.raises(SignedOut, match="no longer accepts the API key") as caught:
        await sign_in(connect())
    assert "three months" in caught.value.remedy


async def test_without_the_groups_an_order_is_refused_in_words(connect: Connect, odoo: OdooSimulator) -> None:
    given: Mapping[str, object] = {"purchase_order_id": "1"}
    odoo.groups.clear()
    action = CONNECTOR.actions["purchasing.read_purchase_order"]
    with pytest.raises(Refused) as refused:
        await action(call(connect()), action.operation.given.model_validate(given))
    assert refused.value.cause == "missing-rights"
    assert "bellwire check" in refused.value.remedy
