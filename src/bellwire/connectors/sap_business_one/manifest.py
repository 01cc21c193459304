"""SAP Business One, declared: its Service Layer (OData 4), version 2, on the customer's or a partner's server.

https://help.sap.com/docs/SAP_BUSINESS_ONE
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bellwire.connectors.kit import Connection, Credential, Level, Manifest, OwnServer, SessionLogin
from bellwire.events import Environment

_SERVER = "https://{server}"


class B1Settings(OwnServer):
    """One company."""

    server: str = Field(pattern=r"^[A-Za-z0-9.-]+(:\d{1,5})?$")
    """Where its Service Layer is: name and port, e.g. sap.hill-tea.example:50000."""
    company_db: str = Field(min_length=1)
    """The company database that this connection works in, e.g. SBODEMOUS or the name of a copy."""
    production_db: str = Field(min_length=1)
    """The company database in which the business really works. A connection to it has to say that it is for
    production, and one to any other that it is a sandbox."""
    warehouse: str = Field(min_length=1, max_length=8)
    """The code of the warehouse whose stock is counted and changed, and where orders are delivered to, e.g. 01."""
    time_zone: str = "UTC"
    """The zone of the server's clock, e.g. America/Chicago: documents have local times."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; it should look like America/Chicago") from error
        return value


def settings_of(connection: Connection) -> B1Settings:
    """The settings of a connection, typed."""
    assert isinstance(connection.settings, B1Settings)
    return connection.settings


MANIFEST = Manifest(
    name="sap_business_one",
    title="SAP Business One",
    capabilities=("purchasing", "stock"),
    # A sandbox is another company database on a server like any other.
    base_urls={Environment.SANDBOX: _SERVER, Environment.PRODUCTION: _SERVER},
    root="/b1s/v2/",
    # The server ends a session that lay idle for 30 minutes, unless its administrator says otherwise.
    auth=SessionLogin(
        login="Login",
        logout="Logout",
        fields={"CompanyDB": "company_db", "UserName": "user_name", "Password": "password"},
        cookies=("B1SESSION", "ROUTEID"),
        idle=timedelta(minutes=20),
    ),
    credentials=(
        Credential(
            "user_name",
            "SAP Business One › Administration › Setup › General › Users: a user of Bellwire's own, with a licence",
        ),
        Credential("password", "what you gave that user; tick that it never expires"),
    ),
    settings=B1Settings,
    api_version="v2",
    headers={"User-Agent": "Bellwire"},
    # Its names of authorisations, in Administration › System Initialization › Authorizations. The first three in full,
    # the others to read.
    scopes=(
        *("Purchase Order", "Goods Receipt", "Goods Issue"),
        *("Item Master Data", "Business Partner Master Data", "Goods Receipt PO", "Goods Return", "A/P Invoice"),
        *("A/P Credit Memo", "Delivery", "Returns", "A/R Invoice", "A/R Credit Memo"),
        *("Inventory Transfer", "Inventory Posting"),
    ),
    # It refuses nothing, but has few workers for all of a company.
    parallel=4,
    # To post a document takes seconds, while others wait for the same tables.
    timeout=timedelta(seconds=90),
    docs="https://help.sap.com/docs/SAP_BUSINESS_ONE",
    level=Level.GOLD,
    exempt={
        "spec": "SAP publishes no description for machines: each installation shows its own at $metadata.",
        "sdk": "There is no official SDK for Python.",
        "limits": "It has no limits but the number of requests at once.",
        "signatures": "How it signs webhooks isn't published, so none are taken: changes are polled.",
        "subscriptions": "How it signs webhooks isn't published, so none are asked for.",
    },
)
