"""Connections: how each is, and everything that makes one work."""

from collections.abc import Sequence
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.connectors.kit import OVERLAP, Connection
from bellwire.desk.accounts import Accounts
from bellwire.desk.connections import Standing, secrets_of
from bellwire.desk.consents import Consents
from bellwire.desk.credentials import LONGEST, UNSEEN, CredentialChanges
from bellwire.desk.forms import form_of
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.watch.finding import Finding, Level

_OVERLAPS = (timedelta(hours=1), OVERLAP, timedelta(days=3), timedelta(days=7), timedelta(days=30))
"""How long the secret from before may be accepted."""


def pages(site: Site) -> Sequence[Page]:
    desk, here = _Connections(site), "/connections/{name}"
    manage, work = Right.MANAGE, Right.WORK
    return [
        Page("/connections", desk.all),
        Page("/connections/callback", desk.come_back, manage),
        Page(here, desk.one),
        Page(f"{here}/check", desk.check, work, "POST"),
        Page(f"{here}/polls", desk.read_now, work, "POST"),
        Page(f"{here}/subscriptions", desk.subscribe, manage, "POST"),
        Page(f"{here}/credentials", desk.credentials, manage),
        Page(f"{here}/credentials", desk.keep, manage, "POST"),
        Page(f"{here}/sign-in", desk.leave_for_vendor, manage),
        Page(f"{here}/sign-in", desk.begin_sign_in, manage, "POST"),
        Page(f"{here}/rotate", desk.rotation, manage),
        Page(f"{here}/rotate", desk.rotate, manage, "POST"),
        Page(f"{here}/rotate/end", desk.end_rotation, manage, "POST"),
        Page(f"{here}/first", desk.first),
        Page(f"{here}/first", desk.send_sample, work, "POST"),
    ]


class _Connections:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._accounts = Accounts(site)
        self._changes = CredentialChanges(site, self._accounts)
        self._consents = Consents(site.ledger, site.vault, site.clock)

    # How they are

    async def all(self, request: Request) -> Response:
        return self._site.page(request, "connections.html", standings=await self._accounts.all_standings())

    async def one(self, request: Request) -> Response:
        found = await self._standing(request)
        return self._site.page(request, "connection.html", found=found, reach=self._site.reach)

    async def check(self, request: Request) -> Response:
        connection = self._connection(request)
        checked = await self._accounts.check(connection)
        errors = [finding for finding in checked.findings if finding.level is Level.ERROR]
        said = errors[0].sentence if errors else "Asked: the answers are below."
        return self._back(connection, said)

    async def read_now(self, request: Request) -> Response:
        connection, who = self._connection(request), visitor_of(request).name
        names = await self._site.ledger.write(lambda rows: self._accounts.read_now(rows, connection, who))
        title = connection.manifest.title
        return self._back(connection, f"{title} is asked now what happened: {', '.join(names)}.")

    async def subscribe(self, request: Request) -> Response:
        connection = self._connection(request)
        before = await self._accounts.subscribe(connection, visitor_of(request).name)
        title = connection.manifest.title
        if before.well:
            return self._back(connection, f"All webhooks of {title} come here already. Nothing was changed.")
        return self._back(connection, f"{title} now sends here: {', '.join(before.missing)}.")

    # Credentials

    async def credentials(self, request: Request) -> Response:
        return self._asked(request, self._connection(request))

    async def keep(self, request: Request) -> Response:
        """Try what was filled in, and keep it if it is good."""
        connection, form = self._connection(request), form_of(request)
        fields = [secret.field for secret in secrets_of(connection, self._site.clock())]
        given = {name: text for name in fields if (text := form.text(name).strip()[:LONGEST])}
        if not given:
            return self._asked(request, connection, "Nothing was filled in, so nothing was changed.", status=400)
        tried = await self._changes.try_and_keep(connection, given, visitor_of(request).name)
        if not tried.good:
            return self._asked(request, connection, "", wrong=tried.findings, status=400)
        untried = f"{connection.manifest.title} has no way to try them."
        account = tried.findings[0].sentence if tried.findings else untried
        return self._back(connection, f"{account} The credentials are kept, and used from now on.")

    def _asked(
        self,
        request: Request,
        connection: Connection,
        text: str = "",
        *,
        wrong: Sequence[Finding] = (),
        status: int = 200,
    ) -> Response:
        """The form, which never has a value in it."""
        fields = secrets_of(connection, self._site.clock())
        return self._site.page(
            request, "credentials.html", status, connection=connection, secrets=fields, text=text, wrong=wrong
        )

    # The owner's consent at the vendor

    async def begin_sign_in(self, request: Request) -> Response:
        connection = self._connection(request)
        asked = self._changes.ask_consent(connection)
        await self._consents.begin(connection.name, visitor_of(request).secret, asked)
        return self._site.go(f"/connections/{connection.name}/sign-in")

    async def leave_for_vendor(self, request: Request) -> Response:
        connection = self._connection(request)
        asked = await self._consents.find(connection.name, visitor_of(request).secret)
        if asked is None:
            return self._back(connection, "That took too long, or was used already. Begin the sign-in again.")
        here = request.headers.get("host", "")
        elsewhere = not asked.redirect_uri.partition("://")[2].startswith(f"{here}/")
        return self._site.page(request, "consent.html", connection=connection, asked=asked, elsewhere=elsewhere)

    async def come_back(self, request: Request) -> Response:
        visitor, answer = visitor_of(request), str(request.url)
        taken = await self._consents.take(visitor.secret, answer)
        connection = self._site.connections.get(taken[0]) if taken else None
        if taken is None or connection is None:
            raise BellwireError(
                "This isn’t the answer to a sign-in that you began here.",
                remedy="It may have taken more than ten minutes, or been used already. Begin again at the connection.",
            )
        checked, extras = await self._changes.redeem(connection, taken[1], answer, visitor.name)
        return self._back(connection, " ".join([*(finding.sentence for finding in checked.findings[:1]), *extras]))

    # Another webhook secret, while both are accepted

    async def rotation(self, request: Request) -> Response:
        return await self._rotating(request)

    async def rotate(self, request: Request) -> Response:
        connection, new = self._connection(request), form_of(request).text("secret").strip()
        asked = form_of(request).get("hours")
        overlap = next((each for each in _OVERLAPS if asked == str(_hours(each))), OVERLAP)
        try:
            until = await self._changes.rotate(connection, new, visitor_of(request).name, overlap)
        except BellwireError as error:
            return await self._rotating(request, str(error), status=400)
        told = self._site.words.when(until, self._site.clock())
        return self._site.go(
            f"/connections/{connection.name}/rotate",
            f"Both secrets are accepted from now on, the old one until {told}.",
        )

    async def end_rotation(self, request: Request) -> Response:
        connection, form = self._connection(request), form_of(request)
        keep_old, unseen = form.get("keep") == "old", form.get("unseen") == "yes"
        try:
            done = await self._changes.end_rotation(
                connection, visitor_of(request).name, keep_old=keep_old, unseen=unseen
            )
        except BellwireError as error:
            return self._back(connection, str(error))
        if not done:
            text = f"{UNSEEN} Tick the box if you drop the old one anyway."
            return await self._rotating(request, text, status=400)
        if keep_old:
            return self._back(connection, "The secret from before is the only one again.")
        return self._back(connection, "The old secret is dropped: only the new one is accepted from now on.")

    async def _rotating(self, request: Request, wrong: str = "", *, status: int = 200) -> Response:
        found = await self._standing(request)
        if not found.has_webhook_secret:
            raise HTTPException(404)
        meanings = {secret.field: secret.meaning for secret in found.secrets}
        meaning = meanings.get(found.connection.manifest.webhook_credential, "")
        overlaps = {_hours(each): each for each in _OVERLAPS}
        return self._site.page(
            request,
            "rotate.html",
            status,
            found=found,
            meaning=meaning,
            wrong=wrong,
            overlaps=overlaps,
            usual=_hours(OVERLAP),
        )

    # The first webhook

    async def first(self, request: Request) -> Response:
        found = await self._standing(request)
        if not found.takes_webhooks:
            raise HTTPException(404)
        triggers = found.connection.connector.triggers
        assert triggers is not None
        return self._site.page(
            request,
            "first.html",
            found=found,
            address=self._site.reach.hook(found.name),
            topics=triggers.topics,
            samples=triggers.sample is not None and found.has_webhook_secret,
        )

    async def send_sample(self, request: Request) -> Response:
        connection = self._connection(request)
        await self._accounts.send_sample(connection)
        return self._site.go(f"/connections/{connection.name}/first", "A made-up webhook was sent, and taken in.")

    # Both

    def _connection(self, request: Request) -> Connection:
        found = self._site.connections.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    async def _standing(self, request: Request) -> Standing:
        connection = self._connection(request)
        return await self._accounts.standing(connection)

    def _back(self, connection: Connection, say: str) -> Response:
        return self._site.go(f"/connections/{connection.name}", say)


def _hours(length: timedelta) -> int:
    return length // timedelta(hours=1)
