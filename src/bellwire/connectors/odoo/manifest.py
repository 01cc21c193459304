"""Odoo, declared: its JSON-2 API, which there is from version 19 on.

https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
"""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.kit import (
    AddressToken,
    Bearer,
    Connection,
    Credential,
    Level,
    Limit,
    Manifest,
    OwnServer,
    body_hash,
)
from bellwire.events import Delivery, Environment

_SERVER = "https://{host}"


class OdooSettings(OwnServer):
    host: str = Field(pattern=r"^[a-z0-9.-]+(:\d{1,5})?$")
    """Where your Odoo is: the part of its address after https://, e.g. hill-tea.odoo.com."""
    database: str = ""
    """The name of the database. Empty: the server has only one, or knows it by the address."""


def settings_of(connection: Connection) -> OdooSettings:
    """The settings of a connection, typed."""
    assert isinstance(connection.settings, OdooSettings)
    return connection.settings


def _identify(delivery: Delivery) -> str:
    """A webhook is never sent again, and has no id: it is known by the state that it speaks of. Where that isn't among
    its fields, each is another one."""
    body = delivery.json
    if isinstance(body, dict) and body.get("write_date"):
        return f"{body.get('_model')}/{body.get('_id')}/{body['write_date']}"
    return f"{body_hash(delivery)}/{delivery.received_at.isoformat()}"


MANIFEST = Manifest(
    name="odoo",
    title="Odoo",
    capabilities=("purchasing",),
    # A copy for tests is a database like any other.
    base_urls={Environment.SANDBOX: _SERVER, Environment.PRODUCTION: _SERVER},
    root="/json/2/",
    auth=Bearer("api_key"),
    credentials=(
        Credential(
            "api_key",
            "Odoo › sign in as Bellwire's own user › Preferences › Account Security › New API Key; it lasts for three "
            "months at most",
        ),
        Credential(
            "webhook_secret",
            "Made up by you, so that nobody can guess it (`openssl rand -hex 32`); it goes into the address that Odoo "
            "sends to. Only for webhooks",
            required=False,
        ),
    ),
    settings=OdooSettings,
    api_version="2",
    headers={"User-Agent": "Bellwire"},
    # Groups of users, by their external ids.
    scopes=("purchase.group_purchase_user", "stock.group_stock_user"),
    # Odoo Online asks for about one call a second, one after the other; it publishes no numbers.
    limits=(Limit(60, per=timedelta(minutes=1)),),
    parallel=1,
    webhook=AddressToken(identify=_identify),
    webhook_setup=(
        "Odoo › Settings › Technical › Automation Rules › New: for the model Transfer, when the state is set to Done, "
        "'Send Webhook Notification' with the field 'Last Updated on', to this address with ?token= and the webhook "
        "secret at its end"
    ),
    docs="https://www.odoo.com/documentation/19.0/developer/reference/external_api.html",
    level=Level.GOLD,
    exempt={
        "spec": "Odoo publishes no description for machines: each database shows its own models at /doc.",
        "sdk": "There is no official SDK, and the community's speak the older XML-RPC.",
        "signatures": "Odoo doesn't sign: a token in the address lets its webhooks in, and they only wake a poll.",
        "subscriptions": "Only administrators may see and make automation rules, which Bellwire's user shouldn't be.",
    },
)
