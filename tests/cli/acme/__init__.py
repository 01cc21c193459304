"""A third party's connectors, found by their entry points as any other package's: one for each role of a flow."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import orjson

from bellwire.capabilities import CAPABILITIES, Given, Result
from bellwire.connectors.kit import (
    Account,
    Bearer,
    ByKey,
    Call,
    Connection,
    Connector,
    Consent,
    Credential,
    HmacSignature,
    Listed,
    Manifest,
    Normalised,
    OAuth2,
    Page,
    Poll,
    Settings,
    Subscribing,
    Subscription,
    Triggers,
    action,
    connector,
)
from bellwire.events import Delivery, Environment, Event, FreeForm

ORIGINS: Mapping[Environment, str] = {
    Environment.SANDBOX: "https://sandbox.acme.example",
    Environment.PRODUCTION: "https://acme.example",
}
TOKEN = Credential("access_token", "Acme › Settings › Tokens")


class ShopSettings(Settings):
    """What a shop needs."""

    store: str
    """The name of the store, as in its address."""
    location: int = 1
    """Where the goods are."""


async def perform(call: Call, given: Given) -> Result:
    raise NotImplementedError


async def sign_in(call: Call) -> Account:
    me = (await call.api.get("/me")).json()
    return Account(me["name"], scopes=tuple(me["scopes"]))


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    return Normalised(reason="only an example")


def vendor(manifest: Manifest, triggers: Triggers | None = None) -> Connector:
    """A connector that can do everything of its capabilities."""
    operations = [operation for name in manifest.capabilities for operation in CAPABILITIES[name].values()]
    actions = tuple(action(operation, repeat=ByKey("an example"))(perform) for operation in operations)
    return connector(manifest, actions=actions, triggers=triggers, sign_in=sign_in)


SHOP = vendor(
    Manifest(
        name="acme_shop",
        title="Acme Shop",
        capabilities=("storefront",),
        base_urls=ORIGINS,
        auth=Bearer(),
        credentials=(
            Credential("webhook_secret", "Acme › Settings › Webhooks › Secret"),
            TOKEN,
            Credential("backup_token", "Acme › Settings › Tokens", required=False),
        ),
        settings=ShopSettings,
        scopes=("orders:read",),
        webhook=HmacSignature("X-Acme-Signature"),
        webhook_setup="Acme › Settings › Webhooks › Add",
        docs="https://acme.example/docs",
    ),
    Triggers(event_types=("order.created", "order.paid", "order.updated"), normalise=normalise),
)
BOOKS = vendor(
    Manifest(
        name="acme_books",
        title="Acme Books",
        capabilities=("accounting",),
        base_urls=ORIGINS,
        auth=Bearer(),
        credentials=(TOKEN,),
        api_version="2020-01",
        sunset=date(2020, 12, 31),
    )
)
STOCK = vendor(Manifest(name="acme_stock", title="Acme Stock", capabilities=("stock",), base_urls=ORIGINS))
SHIPPING = vendor(
    Manifest(
        name="acme_shipping",
        title="Acme Shipping",
        capabilities=("shipping",),
        base_urls={Environment.PRODUCTION: "https://acme.example"},
    )
)
CHAT = vendor(Manifest(name="acme_chat", title="Acme Chat", capabilities=("chat",), base_urls=ORIGINS))


async def listing(call: Call) -> list[Subscription]:
    found = (await call.api.get("/hooks")).json()
    return [Subscription(each["id"], each["url"], (each["topic"],), each["trouble"]) for each in found]


async def create(call: Call, url: str, topics: Sequence[str]) -> dict[str, str]:
    for topic in topics:
        made = (await call.api.post("/hooks", {"url": url, "topic": topic})).json()
    return {"webhook_secret": made["secret"]}


async def remove(call: Call, subscription: Subscription) -> None:
    await call.api.request("DELETE", f"/hooks/{subscription.id}")


async def page(call: Call, since: datetime, cursor: str) -> Page:
    tickets = (await call.api.get("/tickets")).json()
    return Page(tuple(Listed(str(ticket["id"]), orjson.dumps(ticket)) for ticket in tickets))


def ticket(delivery: Delivery, connection: Connection) -> Normalised:
    number = delivery.json["id"]
    event = Event(
        type="acme.asked",
        connection=connection.name,
        environment=connection.environment,
        business_key=f"{connection.name}/ticket/{number}",
        subject=f"ticket/{number}",
        time=delivery.received_at,
        data=FreeForm(id=number),
    )
    return Normalised((event,))


DESK = connector(
    Manifest(
        name="acme_desk",
        title="Acme Desk",
        capabilities=(),
        base_urls=ORIGINS,
        auth=OAuth2("/oauth/token", consent=Consent("/oauth/authorize", params={"prompt": "always"})),
        credentials=(
            Credential("client_id", "Acme › Apps"),
            Credential("client_secret", "Acme › Apps"),
            Credential("refresh_token", "the sign-in in the browser"),
        ),
        scopes=("tickets:read", "hooks"),
        webhook=HmacSignature("X-Acme-Signature"),
    ),
    triggers=Triggers(
        event_types=("acme.asked",),
        normalise=ticket,
        topics=("ticket.created", "ticket.closed"),
        subscribing=Subscribing(listing, create, remove),
        polls=(Poll("tickets", page, ("acme.asked",)),),
    ),
    sign_in=sign_in,
)
MAIL = vendor(Manifest(name="acme_mail", title="Acme Mail", capabilities=("email",), base_urls=ORIGINS))
