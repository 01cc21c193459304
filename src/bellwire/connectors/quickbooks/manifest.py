"""QuickBooks Online, declared."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bellwire.connectors.kit import Consent, Credential, HmacSignature, Level, Limit, Manifest, OAuth2, Settings
from bellwire.events import Environment


class QuickBooksSettings(Settings):
    """One company. Items, tax codes and accounts may be given by name or, where a name isn't unique, by id."""

    realm_id: str = Field(pattern=r"^\d{1,20}$")
    """The company's id: Account and settings › Billing and subscription › Company ID, digits only."""
    home_currency: str = Field(pattern=r"^[A-Z]{3}$")
    """The currency the books are kept in, e.g. USD."""
    multicurrency: bool = False
    """Whether Multicurrency is turned on in QuickBooks. Off: orders in other currencies are refused."""
    time_zone: str = "UTC"
    """The zone that decides on which day a sale is booked, e.g. America/Chicago."""
    shipping_item: str = "Shipping"
    """The item on which shipping is booked."""
    tip_item: str = "Tips"
    """The item on which tips are booked."""
    gift_card_item: str = "Gift cards"
    """The item on which gift cards are booked when they are sold and when they are spent; its account has to be a
    liability, of the type Other Current Liabilities."""
    adjustment_item: str = "Rounding"
    """The item that takes up rounding and other changes the shop made to an order's total."""
    fee_item: str = ""
    """The item on which other charges, such as gift wrap or what is kept of a return, are booked. Empty: the same as
    for rounding."""
    fallback_item: str = ""
    """The item for lines that have no SKU. Empty: such an order is refused, and a person decides."""
    work_item: str = "Services"
    """The item on which invoices for work are booked."""
    guest_customer: str = "Guest"
    """The customer for sales to people who left neither name nor e-mail."""
    number_prefix: str = Field(default="", max_length=10)
    """Put before each order's number, when the orders of several shops go into these books. Don't change it later:
    invoices are found again by it."""
    show_discounts: bool = True
    """On: discounts are a line of their own (QuickBooks: Account and settings › Sales › Discount has to be on).
    Off: lines are booked at the reduced price."""
    tax_code: str = "TAX"
    """The sales tax code of taxed lines. TAX in the United States; elsewhere a code's name, e.g. 20.0% S."""
    exempt_tax_code: str = "NON"
    """The sales tax code of lines without tax. NON in the United States; elsewhere a code's name, e.g. No VAT."""
    tax_codes: dict[str, str] = Field(default_factory=dict)
    """Other codes for some of the shop's taxes, by the shop's name of them: {"VAT 5%" = "5.0% R"}. Several taxes on
    one line are joined: "GST + PST"."""
    tax_rate: str = ""
    """United States: the sales tax rate or group under which the shop's tax is booked. Without it QuickBooks may work
    the tax out anew."""
    tax_item: str = ""
    """Book the shop's tax as a line on this item (with a liability account) instead of as QuickBooks' own sales tax:
    for taxes that QuickBooks isn't to work out, file or report."""
    deposit_account: str = ""
    """The account that payments and sales receipts go to, and that refunds are taken from. Empty: QuickBooks' own,
    Undeposited Funds."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; it should look like America/Chicago") from error
        return value


HOSTS = {
    Environment.SANDBOX: "https://sandbox-quickbooks.api.intuit.com",
    Environment.PRODUCTION: "https://quickbooks.api.intuit.com",
}
"""A company answers on one of them alone, and to the keys of that environment."""

MANIFEST = Manifest(
    name="quickbooks",
    title="QuickBooks Online",
    capabilities=("accounting",),
    base_urls=HOSTS,
    root="/v3/company/{realm_id}/",
    # A refresh token is good for 100 days after its last use, and each use may give another one.
    auth=OAuth2(
        token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
        consent=Consent("https://appcenter.intuit.com/connect/oauth2", pkce=False),
    ),
    credentials=(
        Credential("client_id", "developer.intuit.com › your app › Keys and credentials › Client ID"),
        Credential("client_secret", "developer.intuit.com › your app › Keys and credentials › Client secret"),
        Credential(
            "refresh_token",
            "comes of your consent in the browser; or developer.intuit.com › OAuth 2.0 Playground, signed in to the "
            "company. It is good for 100 days after its last use, and for five years at most",
        ),
        Credential("access_token", "renewed from the refresh token; only needed where there is none", required=False),
        Credential(
            "webhook_secret",
            "developer.intuit.com › your app › Webhooks › Verifier token, of the environment; only for webhooks",
            required=False,
        ),
    ),
    settings=QuickBooksSettings,
    api_version="75",
    params={"minorversion": "75"},
    scopes=("com.intuit.quickbooks.accounting",),
    limits=(Limit(500, per=timedelta(minutes=1)), Limit(10, per=timedelta(seconds=1))),
    webhook=HmacSignature("intuit-signature"),
    webhook_setup="developer.intuit.com › your app › Webhooks, of the environment: enter the address as Endpoint URL, "
    "and tick Customer, Invoice and Credit Memo with all their operations. It is told of every company that the app is "
    "connected to.",
    level=Level.GOLD,
    exempt={
        "spec": "Intuit publishes no description of its API that a program could hold requests against.",
        "sdk": "Intuit has no library for Python that speaks to the books, only one for the sign-in.",
        "subscriptions": "Webhooks are set by hand in the app's settings: there is no API for them.",
    },
    docs="https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice",
)
