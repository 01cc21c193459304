"""Signing in: the company, its database, and sessions that end."""

import asyncio

import pytest

from bellwire.connectors.kit import Account, Connection
from bellwire.connectors.sap_business_one import CONNECTOR
from bellwire.connectors.sap_business_one.api import listed
from bellwire.connectors.sap_business_one.manifest import B1Settings
from bellwire.errors import SignedOut
from bellwire.events import Environment
from bellwire.practice.sap_business_one import SapBusinessOneSimulator
from tests.connecting import call
from tests.connectors.sap_business_one.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sign_in(erp: Connection) -> Account:
    assert CONNECTOR.sign_in is not None
    return await CONNECTOR.sign_in(call(erp))


async def test_the_account(erp: Connection) -> None:
    assert await sign_in(erp) == Account(
        "Practice Tea Ltd",
        "company database SBODEMOUS, release 1000230",
        scopes=None,
        environment=Environment.SANDBOX,
    )


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("production", "told"), [("SBO_PRACTICE", Environment.SANDBOX), ("SBODEMOUS", Environment.PRODUCTION)]
)
async def test_the_company_database_tells_production_from_a_sandbox(
    connect: Connect, production: str, told: Environment
) -> None:
    assert (await sign_in(connect(production_db=production))).environment is told


async def test_a_warehouse_that_is_not_there_is_warned_of(connect: Connect) -> None:
    account = await sign_in(connect(warehouse="99"))
    assert account.warnings == ("The company has no warehouse '99'. It has: 01 (Practice shop), 02 (Back room).",)


async def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        B1Settings(server="sap:50000", company_db="A", production_db="B", warehouse="01", time_zone="Mars")


@pytest.mark.proves("version")
async def test_every_call_is_of_version_2_and_another_release_is_noticed(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    await sign_in(erp)
    assert erp.api.notices == {}
    assert {each.path[: len("/b1s/v2/")] for each in sap.received} == {"/b1s/v2/"}
    sap.company.release = "1100010"
    await sign_in(erp)
    assert erp.api.notices == {"Version": "Release 1100010 answers; this was made for 10.0."}


@pytest.mark.proves("access")
async def test_one_session_serves_many_calls(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await asyncio.gather(*(listed(call(erp), "Warehouses") for _ in range(10)))
    assert sap.logins == 1


@pytest.mark.proves("access")
async def test_a_session_that_ended_is_made_anew_once_for_all(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await listed(call(erp), "Warehouses")
    sap.expire()
    await asyncio.gather(*(listed(call(erp), "Warehouses") for _ in range(10)))
    assert sap.logins == 2


@pytest.mark.proves("access")
async def test_it_is_logged_out_of_in_the_end(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await listed(call(erp), "Warehouses")
    await erp.api.close()
    assert sap.sessions == {}


@pytest.mark.proves("access", "errors")
@pytest.mark.parametrize(("database", "password"), [("SBO_OTHER", "practice-password"), ("SBODEMOUS", "wrong")])
async def test_a_login_that_is_refused_says_what_to_look_at(
    connect: Connect, sap: SapBusinessOneSimulator, database: str, password: str
) -> None:
    erp = connect(company_db=database, credentials={"user_name": "bellwire", "password": password})
    with pytest.raises(SignedOut, match="doesn't accept user and password") as refused:
        await sign_in(erp)
    assert "`company_db`" in refused.value.remedy and sap.logins == 1
