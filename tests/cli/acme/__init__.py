"""A third party's connectors, found by their entry points as any other package's: one for each role of a flow."""

from collections.abc import Mapping
from datetime import date

from bellwire.capabilities import CAPABILITIES, Given, Result
from bellwire.connectors.kit import (
    Account,
    Bearer,
    Call,
    Connection,
    Connector,
    Credential,
    HmacSignature,
    Manifest,
    Normalised,
    Settings,
    Triggers,
    Unkeyed,
    action,
    connector,
)
from bellwire.events import Delivery, Environment

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
    actions = tuple(action(operation, repeat=Unkeyed("an example"))(perform) for operation in operations)
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
MAIL = vendor(Manifest(name="acme_mail", title="Acme Mail", capabilities=("email",), base_urls=ORIGINS))
