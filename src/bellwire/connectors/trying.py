"""New credentials, tried before they are kept."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from bellwire.clock import Clock
from bellwire.connectors.kit import Connection, Credentials, with_credentials

_BOUGHT = frozenset({"access_token", "access_token_expires_at"})


class Trial:
    """The credentials of a connection with some others in their place. Nothing of these is kept before `keep`.

    A token that was bought with the ones before says nothing of these, so another one is bought, which is kept with
    them. A refresh token that isn't among them is the account's own: what comes in its place is kept at once.
    """

    def __init__(self, own: Credentials, given: Mapping[str, str], *, buys_anew: bool) -> None:
        self._own = own
        self._given = dict(given)
        self._hidden = _BOUGHT - given.keys() if buys_anew else frozenset[str]()

    def find(self, field: str) -> str | None:
        if field in self._given:
            return self._given[field]
        return None if field in self._hidden else self._own.find(field)

    def get(self, field: str) -> str:
        return self._given[field] if field in self._given else self._own.get(field)

    def store(self, values: Mapping[str, str]) -> None:
        if "refresh_token" in values and "refresh_token" not in self._given:
            self._own.store(values)
        self._given |= values

    def renewing(self) -> AbstractAsyncContextManager[None]:
        return self._own.renewing()

    def keep(self) -> None:
        self._own.store(self._given)


def on_trial(connection: Connection, given: Mapping[str, str], clock: Clock) -> tuple[Connection, Trial]:
    """The connection as it would be with these credentials. It has to be closed."""
    plain = Trial(connection.credentials, given, buys_anew=False)
    tried = with_credentials(connection, plain, clock)
    others = given.keys() - {connection.manifest.webhook_credential, "access_token"}
    if not others or not tried.api.sign_in.renewable:
        return tried, plain
    anew = Trial(connection.credentials, given, buys_anew=True)
    return with_credentials(connection, anew, clock), anew
