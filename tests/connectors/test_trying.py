"""New credentials on trial: nothing of them is kept before they are good, and nothing of the account's own is lost."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit import Bearer, Limit, OAuth2
from bellwire.connectors.trying import Trial, on_trial
from bellwire.errors import SignedOut
from tests.connecting import Secrets
from tests.connectors.kit.acme import Acme, reply
from tests.samples import NOW

OWN = {
    "client_id": "app",
    "client_secret": "old",
    "refresh_token": "r1",
    "access_token": "bought-with-old",
    "access_token_expires_at": (NOW + timedelta(hours=1)).isoformat(),
}


def test_what_is_tried_goes_first_and_isnt_kept_before_it_is_good() -> None:
    own = Secrets(OWN)
    trial = Trial(own, {"client_secret": "new"}, buys_anew=False)
    assert (trial.get("client_secret"), trial.find("client_id")) == ("new", "app")
    assert own.values == OWN
    trial.keep()
    assert own.values == OWN | {"client_secret": "new"}


def test_a_refresh_token_that_isnt_tried_is_kept_as_soon_as_it_is_replaced() -> None:
    own = Secrets(OWN)
    Trial(own, {"client_secret": "new"}, buys_anew=True).store({"refresh_token": "r2", "access_token": "a2"})
    assert (own.values["refresh_token"], own.values["client_secret"]) == ("r2", "old")
    tried = Trial(own, {"refresh_token": "mine"}, buys_anew=True)
    tried.store({"refresh_token": "r3", "access_token": "a3"})
    assert own.values["refresh_token"] == "r2" and tried.get("refresh_token") == "r3"


async def test_a_token_bought_with_the_credentials_before_says_nothing_of_the_new_ones() -> None:
    async with Acme([reply(401, {"error": "invalid_client"})]) as acme:
        own = Secrets(OWN)
        connection = acme.connection(OAuth2("/token"), own)
        tried, _ = on_trial(connection, {"client_secret": "wrong"}, lambda: NOW)
        with pytest.raises(SignedOut):
            await tried.api.get("/me")
        assert [seen.url for seen in acme.seen] == ["/token"] and own.values == OWN
        await tried.api.close()


async def test_where_nothing_is_renewed_the_token_that_is_tried_is_the_one_that_is_sent() -> None:
    async with Acme() as acme:
        connection = acme.connection(Bearer(), Secrets({"access_token": "old"}), limits=(Limit(5, timedelta(hours=1)),))
        tried, _ = on_trial(connection, {"access_token": "new"}, lambda: NOW)
        await tried.api.get("/me")
        assert acme.seen[0].headers["Authorization"] == "Bearer new"
        assert [quota.left for quota in connection.api.gate.quotas] == [4], "it counts for the account"
        await tried.api.close()
