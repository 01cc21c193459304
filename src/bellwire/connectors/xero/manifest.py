"""Xero, declared."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bellwire.connectors.kit import Consent, Credential, HmacSignature, Level, Limit, Manifest, OAuth2, Settings
from bellwire.events import Environment

_ORIGIN = "https://api.xero.com"
_MINUTE = timedelta(minutes=1)


class XeroSettings(Settings):
    """One organisation. Accounts that lines are booked on are given by their code; tax rates by name or tax type."""

    tenant_id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    """The organisation's tenant id. `bellwire check` lists those that the sign-in reaches; until you know it, write
    00000000-0000-0000-0000-000000000000."""
    base_currency: str = Field(pattern=r"^[A-Z]{3}$")
    """The currency the books are kept in, e.g. USD."""
    deposit_account: str = Field(min_length=1, max_length=150)
    """The bank account that payments and sales receipts go to, and that refunds are taken from, by its code or name,
    e.g. 090."""
    multicurrency: bool = False
    """Whether the organisation's plan has multiple currencies. Off: orders in other currencies are refused."""
    time_zone: str = "UTC"
    """The zone that decides on which day a sale is booked, e.g. Pacific/Auckland."""
    sales_account: str = "200"
    """The account of items that have none of their own in Xero."""
    shipping_account: str = "260"
    """The account on which shipping is booked."""
    tip_account: str = "260"
    """The account on which tips are booked."""
    gift_card_account: str = ""
    """The account on which gift cards are booked when they are sold and when they are spent. It has to be a liability,
    with 'Enable payments to this account' ticked. Empty: orders with gift cards are refused."""
    adjustment_account: str = "860"
    """The account that takes up rounding and other changes the shop made to an order's total."""
    fee_account: str = ""
    """The account on which other charges, such as gift wrap or what is kept of a return, are booked. Empty: the same as
    for rounding."""
    fallback_account: str = ""
    """The account for lines that have no SKU. Empty: such an order is refused, and a person decides."""
    work_account: str = ""
    """The account on which invoices for work are booked. Empty: that of sales."""
    guest_contact: str = "Guest"
    """The contact for sales to people who left neither name nor e-mail."""
    number_prefix: str = Field(default="", max_length=20)
    """Put before each order's number, when the orders of several shops go into these books. Don't change it later:
    invoices are found again by it."""
    show_discounts: bool = True
    """On: an invoice shows each line's discount. Off: lines are booked at the reduced price, as they always are in
    sales receipts."""
    tax_rate: str = "OUTPUT"
    """The tax rate of taxed lines, e.g. 20% (VAT on Income), or its tax type, e.g. OUTPUT2."""
    exempt_tax_rate: str = "NONE"
    """The tax rate of lines without tax, by name or tax type."""
    tax_rates: dict[str, str] = Field(default_factory=dict)
    """Other rates for some of the shop's taxes, by the shop's name of them: {"VAT 5%" = "5% (VAT on Income)"}. Several
    taxes on one line are joined: "GST + PST"."""
    tax_account: str = ""
    """Book the shop's tax as a line on this account (a liability) instead of as Xero's own tax: for taxes that Xero
    isn't to report."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; it should look like Pacific/Auckland") from error
        return value


MANIFEST = Manifest(
    name="xero",
    title="Xero",
    capabilities=("accounting",),
    # There is no sandbox: the demo company of one's own, on the same server, is one.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/api.xro/2.0",
    # Each refresh token is good for one use, and for 60 days.
    auth=OAuth2(
        token_url="https://identity.xero.com/connect/token",  # noqa: S106 - an address
        consent=Consent("https://login.xero.com/identity/connect/authorize"),
    ),
    credentials=(
        Credential("client_id", "developer.xero.com › My Apps › your app › Configuration › Client id"),
        Credential("client_secret", "developer.xero.com › My Apps › your app › Configuration › Client secret"),
        Credential(
            "refresh_token",
            "`bellwire connect` gets it; it is what Xero gives your app after a consent with the scope offline_access",
        ),
        Credential("access_token", "renewed from the refresh token; only needed where there is none", required=False),
        Credential(
            "webhook_secret",
            "developer.xero.com › My Apps › your app › Webhooks › Webhooks key; only for webhooks",
            required=False,
        ),
    ),
    settings=XeroSettings,
    api_version="2.0",
    scopes=(
        "offline_access",
        "accounting.contacts",
        "accounting.invoices",
        "accounting.payments",
        "accounting.banktransactions",
        "accounting.settings.read",
    ),
    # A starter app has 1,000 a day: it learns of that by a 429, which says for how long to wait.
    # https://developer.xero.com/documentation/guides/oauth2/limits
    limits=(Limit(60, per=_MINUTE, remaining="X-MinLimit-Remaining"), Limit(5000, per=timedelta(days=1))),
    parallel=5,
    webhook=HmacSignature("x-xero-signature"),
    webhook_reply=None,
    webhook_setup="developer.xero.com › My Apps › your app › Webhooks: contacts, invoices and credit notes.",
    level=Level.GOLD,
    exempt={"subscriptions": "Xero has no API for them: webhooks are set up in its developer portal."},
    docs="https://developer.xero.com/documentation/api/accounting/overview",
)
