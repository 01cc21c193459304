"""Connections: how each is, tried and mended. No secret ever comes out."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, Field

from bellwire.connectors.kit import Call, Connection
from bellwire.connectors.kit import Standing as Subscribed
from bellwire.connectors.kit import standing as compare
from bellwire.desk.accounts import Accounts
from bellwire.desk.api.doors import Doors, Managing, See, Work, Working
from bellwire.desk.api.paging import Listed
from bellwire.desk.connections import Checked, Lamp, Standing
from bellwire.desk.site import Site
from bellwire.errors import BellwireError
from bellwire.events import Environment
from bellwire.vault import Origin
from bellwire.watch.finding import Finding
from bellwire.watch.finding import Level as Weight

Name = Annotated[str, Path(min_length=1, max_length=100, description="As `connections.toml` names it.")]


class ConnectionRow(BaseModel):
    name: str
    connector: str
    title: str = Field(description="As the vendor calls itself.")
    environment: Environment
    level: str
    state: Lamp
    reason: str = Field(description="Why it isn't fine, in a sentence.")
    last_event_at: datetime | None
    last_webhook_at: datetime | None


class SecretRow(BaseModel):
    field: str
    required: bool
    origin: Origin | None = Field(description="Where it is; null: nowhere.")
    set_at: datetime | None
    replace_by: datetime | None


class QuotaRow(BaseModel):
    path: str = Field(description="The requests that it counts; empty: all.")
    seconds: float
    count: int
    left: int = Field(description="As far as this process knows.")


class PollState(BaseModel):
    name: str
    known_until: datetime
    due_at: datetime
    reason: str = Field(description="Why it can't be read, in a sentence.")


class HealthState(BaseModel):
    state: Lamp
    reason: str
    since: datetime | None
    tried_again_at: datetime | None
    failures: int
    runs_waiting: int


class FindingRow(BaseModel):
    level: Weight
    sentence: str
    remedy: str


class CheckedState(BaseModel):
    at: datetime
    findings: list[FindingRow]


class ConnectionState(ConnectionRow):
    hook_url: str | None = Field(description="Where its webhooks go.")
    api_version: str
    sunset: date | None
    announced: dict[str, str] = Field(description="What the vendor announced since the process began.")
    secrets: list[SecretRow]
    two_webhook_secrets: bool = Field(description="Whether the one before is still accepted.")
    earlier_secret_until: datetime | None = Field(description="Until when it is; null: until somebody drops it.")
    quotas: list[QuotaRow]
    polls: list[PollState]
    health: HealthState
    topics: list[str] = Field(description="What its vendor is to send here.")
    subscribes: bool = Field(description="Whether its vendor can be told by its API where webhooks go.")
    signs_in_by_browser: bool = Field(description="Whether the owner consents in the browser.")
    checked: CheckedState | None = Field(description="What its vendor said when it was asked last.")


class PollsWoken(BaseModel):
    polls: list[str] = Field(description="The lists that are read now.")


class Sent(BaseModel):
    delivery: int = Field(description="Its number.")


class SubscriptionRow(BaseModel):
    id: str
    topics: list[str]
    trouble: str


class SubscriptionsState(BaseModel):
    well: bool
    missing: list[str] = Field(description="Topics that nobody sends here.")
    broken: list[SubscriptionRow]


def find_connection(site: Site, name: str) -> Connection:
    """Raises HTTPException."""
    connection = site.connections.get(name)
    if connection is None:
        raise HTTPException(404, "There is no such connection.")
    return connection


def router(doors: Doors) -> APIRouter:
    routes, accounts, site = APIRouter(tags=["connections"]), Accounts(doors.site), doors.site
    found = partial(find_connection, site)

    @routes.get("/connections")
    async def list_connections(_: See) -> Listed[ConnectionRow]:
        """All of them."""
        return Listed(items=[ConnectionRow.model_validate(_row(each)) for each in await accounts.all_standings()])

    @routes.get("/connections/{name}")
    async def read_connection(name: Name, _: See) -> ConnectionState:
        """One of them, as it is now. Its vendor isn't asked."""
        return _state(await accounts.standing(found(name)), site.reach.hook(name))

    @routes.get("/connections/{name}/health")
    async def read_connection_health(name: Name, _: See) -> HealthState:
        """Whether it works, or since when it doesn't."""
        return _health(await accounts.standing(found(name)))

    @routes.post("/connections/{name}/test", response_model=CheckedState)
    async def test_connection(name: Name, write: Working) -> Response:
        """Ask its vendor who we are there and what we may do. Nothing is changed by it."""
        connection = found(name)

        async def work() -> CheckedState:
            return _checked(await accounts.check(connection))

        return await write.beyond(work)

    @routes.post("/connections/{name}/reconcile", response_model=PollsWoken)
    async def reconcile_connection(name: Name, write: Working) -> Response:
        """Have its lists read now for what no webhook brought."""
        connection = found(name)
        return await write(lambda rows: PollsWoken(polls=accounts.read_now(rows, connection, write.who)))

    @routes.post("/connections/{name}/sample", status_code=201, response_model=Sent)
    async def send_sample_webhook(name: Name, write: Working) -> Response:
        """Send a made-up webhook of its kind through the whole intake, signed as its vendor signs. 409 for a production
        account: there it could be taken for a customer's."""
        connection = found(name)

        async def work() -> Sent:
            return Sent(delivery=await accounts.send_sample(connection))

        return await write.beyond(work, 201)

    @routes.get("/connections/{name}/subscriptions")
    async def read_subscriptions(name: Name, _: Work) -> SubscriptionsState:
        """Ask its vendor what it sends here."""
        connection = found(name)
        triggers = connection.connector.triggers
        if triggers is None or triggers.subscribing is None:
            raise BellwireError(f"{connection.manifest.title} has no way for programs to ask where webhooks go.")
        listed = await triggers.subscribing.listing(Call.asking(connection, site.clock))
        return _subscriptions(compare(listed, site.reach.hook(name), triggers.topics))

    @routes.post("/connections/{name}/subscriptions/repair", response_model=SubscriptionsState)
    async def repair_subscriptions(name: Name, write: Managing) -> Response:
        """Have its webhooks sent here. Tells how it was before; sent again, it changes nothing more."""
        connection = found(name)

        async def work() -> SubscriptionsState:
            return _subscriptions(await accounts.subscribe(connection, write.who))

        return await write.beyond(work)

    return routes


def _row(found: Standing) -> dict[str, object]:
    connection, known = found.connection, found.known
    return {
        "name": found.name,
        "connector": connection.manifest.name,
        "title": connection.manifest.title,
        "environment": connection.environment,
        "level": connection.manifest.level.value,
        "state": found.lamp,
        "reason": found.reason,
        "last_event_at": known.event.recorded_at if known.event else None,
        "last_webhook_at": known.webhook.received_at if known.webhook else None,
    }


def _state(found: Standing, hook_url: str) -> ConnectionState:
    manifest, triggers = found.connection.manifest, found.connection.connector.triggers
    return ConnectionState.model_validate(
        {
            **_row(found),
            "hook_url": hook_url if found.takes_webhooks else None,
            "api_version": manifest.api_version,
            "sunset": manifest.sunset,
            "announced": found.connection.api.notices,
            "secrets": [
                SecretRow(
                    field=each.field,
                    required=each.required,
                    origin=each.origin,
                    set_at=each.set_at,
                    replace_by=each.replace_by,
                )
                for each in found.secrets
            ],
            "two_webhook_secrets": found.rotating,
            "earlier_secret_until": found.earlier_until,
            "quotas": [
                QuotaRow(path=each.limit.of, seconds=each.limit.per.total_seconds(), count=each.count, left=each.left)
                for each in found.quotas
            ],
            "polls": [
                PollState(name=each.name, known_until=each.since, due_at=each.due_at, reason=each.reason)
                for each in found.known.polls
            ],
            "health": _health(found),
            "topics": list(triggers.topics) if triggers and found.takes_webhooks else [],
            "subscribes": found.subscribes,
            "signs_in_by_browser": found.signs_in_by_browser,
            "checked": _checked(found.known.checked) if found.known.checked else None,
        }
    )


def _health(found: Standing) -> HealthState:
    row = found.known.health
    return HealthState(
        state=found.lamp,
        reason=found.reason,
        since=row.since if row else None,
        tried_again_at=row.probe_at if row else None,
        failures=row.failures if row else 0,
        runs_waiting=found.known.held,
    )


def _checked(found: Checked) -> CheckedState:
    return CheckedState(at=found.at, findings=findings_of(found.findings))


def findings_of(findings: Sequence[Finding]) -> list[FindingRow]:
    return [FindingRow(level=each.level, sentence=each.sentence, remedy=each.remedy) for each in findings]


def _subscriptions(found: Subscribed) -> SubscriptionsState:
    broken = [SubscriptionRow(id=each.id, topics=list(each.topics), trouble=each.trouble) for each in found.broken]
    return SubscriptionsState(well=found.well, missing=list(found.missing), broken=broken)
