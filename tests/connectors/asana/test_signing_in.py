"""Who signed in, which workspaces that reaches, and how it is renewed."""

import asyncio
from datetime import timedelta

import pytest

from bellwire.connectors.asana import CONNECTOR
from bellwire.connectors.asana.signing_in import sign_in
from bellwire.connectors.kit import OAuth2
from bellwire.errors import SignedOut
from bellwire.practice.asana import Asana
from tests.connecting import Secrets, call
from tests.connectors.asana.conftest import Connect
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.proves("sign-in")
async def test_the_workspace_and_the_person_are_told(connect: Connect) -> None:
    account = await sign_in(call(connect()))
    assert (account.name, account.detail, account.warnings) == ("Hill Tea", "workspace 31337, as Kim", ())


@pytest.mark.proves("sign-in")
async def test_a_workspace_that_is_not_reached_is_refused_with_those_that_are(connect: Connect) -> None:
    with pytest.raises(SignedOut, match=r"doesn't reach the workspace 0\. It reaches: Hill Tea \(31337\)"):
        await sign_in(call(connect(workspace="0")))


@pytest.mark.proves("sign-in")
async def test_projects_that_bring_nothing_are_warned_of(connect: Connect, team: Asana) -> None:
    archived = team.work.add_project({"name": "Old", "archived": True})["gid"]
    elsewhere = team.work.add_project({"name": "Theirs", "workspace": {"gid": "4"}})["gid"]
    warnings = (await sign_in(call(connect(projects=["9", archived, elsewhere])))).warnings
    assert [said.split(";")[0] for said in warnings] == [
        "Asana has no project 9, or hides it from the sign-in",
        f"The project Old ({archived}) is archived",
        f"The project Theirs ({elsewhere}) is in another workspace",
    ]


@pytest.mark.proves("access")
async def test_a_token_is_renewed_ahead_of_its_end_once_for_all(connect: Connect, team: Asana) -> None:
    ends = (NOW + timedelta(minutes=4)).isoformat()
    account = connect(credentials={**team.credentials, "access_token_expires_at": ends})
    await asyncio.gather(*(sign_in(call(account)) for _ in range(5)))
    assert sum(request.path == "/-/oauth_token" for request in team.received) == 1
    kept = account.credentials
    assert isinstance(kept, Secrets) and kept.stored == 1
    assert kept.get("access_token") in team.access - {"practice-access-token"}


@pytest.mark.proves("access")
async def test_a_consent_in_the_browser_gives_the_first_tokens(connect: Connect) -> None:
    auth = CONNECTOR.manifest.auth
    assert isinstance(auth, OAuth2) and auth.consent is not None
    assert auth.consent.url == "https://app.asana.com/-/oauth_authorize" and auth.consent.pkce
    account = connect(credentials={"client_id": "practice-client", "client_secret": "practice-client-secret"})
    await account.api.sign_in.redeem("practice-code", "https://bellwire.example.com/back", "verifier")
    assert account.credentials.get("refresh_token") == "practice-refresh-token"
    assert (await sign_in(call(account))).name == "Hill Tea"


@pytest.mark.proves("access")
async def test_a_personal_access_token_is_enough(connect: Connect) -> None:
    account = connect(credentials={"access_token": "practice-access-token"})
    assert (await sign_in(call(account))).scopes is None
