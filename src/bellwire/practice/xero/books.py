"""What the organisation holds, and what it takes: its rules and its arithmetic."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.xero.refusals import Refusal, invalid

Record = dict[str, Any]

IDS = {
    "Accounts": "AccountID",
    "BankTransactions": "BankTransactionID",
    "Contacts": "ContactID",
    "CreditNotes": "CreditNoteID",
    "Invoices": "InvoiceID",
    "Items": "ItemID",
    "Payments": "PaymentID",
}
"""What each collection calls the ids of its records."""
GIFT_CARDS = "835"
_SALES, _EXEMPT = "200", "NONE"
_GONE = ("DELETED", "VOIDED")
_LONGEST = {
    "AddressLine1": 500,
    "AddressLine2": 500,
    "AddressLine3": 500,
    "AddressLine4": 500,
    "AttentionTo": 255,
    "City": 255,
    "ContactNumber": 50,
    "Country": 50,
    "Description": 4000,
    "EmailAddress": 255,
    "InvoiceNumber": 255,
    "Name": 255,
    "PhoneNumber": 50,
    "PostalCode": 50,
    "Reference": 255,
    "Region": 255,
}
_ACCOUNTS: Sequence[Record] = (
    {"Code": "090", "Name": "Business account", "Type": "BANK", "Class": "ASSET", "CurrencyCode": "USD"},
    {"Code": _SALES, "Name": "Sales", "Type": "REVENUE", "Class": "REVENUE"},
    {"Code": "260", "Name": "Other revenue", "Type": "REVENUE", "Class": "REVENUE"},
    {"Code": "820", "Name": "Sales tax", "Type": "CURRLIAB", "Class": "LIABILITY", "SystemAccount": "GST"},
    {"Code": GIFT_CARDS, "Name": "Gift cards outstanding", "Type": "CURRLIAB", "Class": "LIABILITY", "payable": True},
    {"Code": "860", "Name": "Rounding", "Type": "EXPENSE", "Class": "EXPENSE", "SystemAccount": "ROUNDING"},
)
_RATES = (("OUTPUT", "Tax on sales", "8.25"), ("INPUT", "Tax on purchases", "8.25"), (_EXEMPT, "Tax exempt", "0"))


@dataclass
class Organisation:
    """One organisation's books."""

    multicurrency: bool = True
    locked_until: date | None = None
    """No document may be of this day or of one before."""
    skewed_by: Decimal = Decimal(0)
    """What this organisation's own idea of tax adds to every total."""
    clock: Clock = system_clock
    records: dict[str, dict[str, Record]] = field(init=False)
    """Collection → id → record."""
    tax_rates: list[Record] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = count(1)
        self.records = {collection: {} for collection in IDS}
        for account in _ACCOUNTS:
            payable = {"EnablePaymentsToAccount": account.get("payable", False)}
            self.add("Accounts", Status="ACTIVE", **{k: v for k, v in account.items() if k != "payable"}, **payable)
        for good in CATALOGUE:
            if good.in_books:
                self.add_item(good.sku, good.name, float(good.price))
        self.add_item("OTHER", "Other goods", 1.0)
        self.tax_rates = [
            {
                "Name": name,
                "TaxType": kind,
                "Status": "ACTIVE",
                "CanApplyToRevenue": kind != "INPUT",
                "DisplayTaxRate": float(rate),
                "EffectiveRate": float(rate),
            }
            for kind, name, rate in _RATES
        ]

    def add(self, collection: str, **fields: Any) -> Record:
        """Put a record in, unchecked."""
        record_id = f"00000000-0000-4000-8000-{next(self._ids):012d}"
        record = {**fields, IDS[collection]: record_id, "UpdatedDateUTC": self._now()}
        self.records[collection][record_id] = record
        return record

    def _now(self) -> str:
        return f"/Date({int(self.clock().timestamp() * 1000)}+0000)/"

    def add_item(self, code: str, name: str, price: float) -> Record:
        sales = {"UnitPrice": price, "AccountCode": _SALES, "TaxType": "OUTPUT"}
        return self.add("Items", Code=code, Name=name, IsSold=True, IsTrackedAsInventory=False, SalesDetails=sales)

    def account(self, code: str) -> Record | None:
        return next((a for a in self.records["Accounts"].values() if a.get("Code") == code), None)

    # Writing

    def contact(self, given: Record) -> Record:
        check_lengths(given)
        name = given.get("Name", "")
        if not name.strip():
            raise invalid(given, "The contact name must be specified.")
        active = (c for c in self.records["Contacts"].values() if c["ContactStatus"] == "ACTIVE")
        if name.casefold() in (contact["Name"].casefold() for contact in active):
            raise invalid(
                given,
                f"The contact name {name} is already assigned to another contact. The contact name must be unique "
                "across all active contacts.",
            )
        email = given.get("EmailAddress")
        if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise invalid(given, "Email address must be valid.")
        if any(not re.fullmatch("[A-Za-z ]*", place.get("Country", "")) for place in given.get("Addresses", ())):
            raise invalid(given, "Country must be letters only.")
        return self.add("Contacts", **given, ContactStatus="ACTIVE", IsSupplier=False, IsCustomer=False)

    def invoice(self, given: Record, decimals: int) -> Record:
        check_lengths(given)
        if given.get("Type") != "ACCREC":
            raise invalid(given, "Only invoices of the type ACCREC are practised.")
        document = self._document(given, decimals, discounts=True)
        if given.get("Status") == "AUTHORISED" and not given.get("DueDate"):
            raise invalid(given, "The due date must be specified.")
        number = given.get("InvoiceNumber") or f"INV-{len(self.records['Invoices']) + 1:04}"
        others = (i for i in self.records["Invoices"].values() if i["Status"] not in _GONE)
        if number.casefold() in (other["InvoiceNumber"].casefold() for other in others):
            raise invalid(given, "Invoice # must be unique.")
        currency = given.get("CurrencyCode", "USD")
        if currency != "USD" and not self.multicurrency:
            raise invalid(given, f"Organisation is not subscribed to currency {currency}")
        total = document["Total"]
        return self.add(
            "Invoices",
            **document,
            InvoiceNumber=number,
            CurrencyCode=currency,
            AmountDue=total,
            AmountPaid=0.0,
            AmountCredited=0.0,
            Status="PAID" if not total and given.get("Status") == "AUTHORISED" else given.get("Status", "DRAFT"),
            **_day("DueDate", given),
        )

    def bank_transaction(self, given: Record, decimals: int) -> Record:
        check_lengths(given)
        if given.get("Type") != "RECEIVE":
            raise invalid(given, "Only money received is practised.")
        account = self._payable(given, "BankAccount")
        if account["Type"] != "BANK":
            raise invalid(given, "The bank account must be of the type BANK.")
        document = self._document(given, decimals, discounts=False)
        if document["Total"] <= 0:
            raise invalid(given, "The total must be greater than zero.")
        told = {key: account[key] for key in ("AccountID", "Code", "Name")}
        fields = {"Status": "AUTHORISED", "IsReconciled": False, "CurrencyCode": account["CurrencyCode"]}
        return self.add("BankTransactions", **document | {"BankAccount": told} | fields)

    def payment(self, given: Record) -> Record:
        check_lengths(given)
        invoice = self.records["Invoices"].get(given.get("Invoice", {}).get("InvoiceID", ""))
        if invoice is None:
            raise invalid(given, "Payments can only be made against authorised documents: there is no such invoice.")
        if invoice["Status"] != "AUTHORISED":
            raise invalid(given, "Payments can only be made against Authorised documents")
        account = self._payable(given, "Account")
        if account["Type"] != "BANK" and not account["EnablePaymentsToAccount"]:
            raise invalid(given, "The account must be a bank account, or payments to this account must be enabled.")
        amount, due = money(given.get("Amount", 0)), money(invoice["AmountDue"])
        if amount <= 0:
            raise invalid(given, "The payment amount must be greater than zero.")
        if amount > due:
            raise invalid(given, "Payment amount exceeds the amount outstanding on this document")
        payment = self.add(
            "Payments",
            Amount=float(amount),
            Reference=given.get("Reference", ""),
            Status="AUTHORISED",
            PaymentType="ACCRECPAYMENT",
            IsReconciled=False,
            Account={key: account[key] for key in ("AccountID", "Code")},
            Invoice={key: invoice[key] for key in ("InvoiceID", "InvoiceNumber", "Type")},
            **self._dated(given),
        )
        invoice["AmountDue"] = float(due - amount)
        invoice["AmountPaid"] = float(money(invoice["AmountPaid"]) + amount)
        invoice["UpdatedDateUTC"] = self._now()
        if amount == due:
            invoice["Status"] = "PAID"
        return payment

    def _payable(self, given: Record, ref: str) -> Record:
        """The active account that `given[ref]` names by id or code."""
        wanted = given.get(ref) or {}
        accounts = (account for account in self.records["Accounts"].values() if account["Status"] == "ACTIVE")
        keys = [key for key in ("AccountID", "Code") if key in wanted]
        found = next((a for a in accounts if keys and all(a.get(key) == wanted[key] for key in keys)), None)
        if found is None:
            raise invalid(given, "Account could not be found")
        return found

    def _document(self, given: Record, decimals: int, *, discounts: bool) -> Record:
        """What was given, with its lines and totals worked out."""
        contact = self.records["Contacts"].get(given.get("Contact", {}).get("ContactID", ""))
        if contact is None:
            raise invalid(given, "A Contact must be specified for this type of transaction")
        if contact["ContactStatus"] != "ACTIVE":
            raise invalid(given, "The contact is archived.")
        if not given.get("LineItems"):
            raise invalid(given, "One or more line items must be specified")
        wrong: list[str] = []
        lines = [self._line(line, decimals, wrong, discounts=discounts) for line in given["LineItems"]]
        if wrong:
            raise invalid(given, *wrong)
        net = sum((money(line["LineAmount"]) for line in lines), Decimal(0))
        tax = sum((money(line["TaxAmount"]) for line in lines), self.skewed_by)
        if given.get("LineAmountTypes", "Exclusive") == "Inclusive":
            net -= tax
        if net + tax < 0:
            raise invalid(given, "The total must not be negative.")
        totals = {"SubTotal": float(net), "TotalTax": float(tax), "Total": float(net + tax)}
        known = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
        kept = {k: v for k, v in given.items() if k not in ("Contact", "LineItems", "DueDate", "Status", "Date")}
        kept.pop("InvoiceNumber", None)
        kept.pop("CurrencyCode", None)
        return kept | {"Contact": known, "LineItems": lines} | totals | self._dated(given)

    def _dated(self, given: Record) -> Record:
        told = _day("Date", given)
        if self.locked_until and told and date.fromisoformat(told["DateString"][:10]) <= self.locked_until:
            raise invalid(given, "The document date cannot be before the period lock date")
        return told

    def _line(self, line: Record, decimals: int, wrong: list[str], *, discounts: bool) -> Record:
        """As Xero fills it in; what is wrong with it goes into `wrong`."""
        quantity = Decimal(str(line.get("Quantity", 1)))
        price = _rounded(Decimal(str(line.get("UnitAmount", 0))), decimals)
        discount = money(line.get("DiscountAmount", 0))
        if not line.get("Description"):
            wrong.append("Description is required")
        if discount and not discounts:
            wrong.append("Discounts are only supported on ACCREC invoices")
        net = money(quantity * price - discount)
        if "LineAmount" in line and money(line["LineAmount"]) != net:
            wrong.append(f"The line total {line['LineAmount']} does not match the expected line total {net}")
        item = line.get("ItemCode")
        if item and item not in (each["Code"] for each in self.records["Items"].values()):
            wrong.append(f"Item code '{item}' is not valid")
        account = self.account(line.get("AccountCode", ""))
        if account is None or account["Type"] == "BANK" or account["Status"] != "ACTIVE":
            wrong.append(f"Account code '{line.get('AccountCode', '')}' is not a valid code for this document.")
        rate = next((r for r in self.tax_rates if r["TaxType"] == line.get("TaxType", "NONE")), None)
        if rate is None or not rate["CanApplyToRevenue"] or rate["Status"] != "ACTIVE":
            kind = line.get("TaxType")
            wrong.append(f"The TaxType code '{kind}' does not exist or cannot be used for this type of transaction.")
            return line
        tax = money(line.get("TaxAmount", net * Decimal(str(rate["EffectiveRate"])) / 100))
        if tax and not rate["EffectiveRate"]:
            wrong.append(f"The tax amount of a line with the tax rate {rate['Name']} must be zero.")
        return {**line, "UnitAmount": float(price), "LineAmount": float(net), "TaxAmount": float(tax)}


def money(number: Any) -> Decimal:
    """Two decimals are all that is kept, whatever the currency."""
    return _rounded(Decimal(str(number)), 2)


def updated(record: Record) -> datetime:
    """When a record was changed last."""
    return datetime.fromtimestamp(int(record["UpdatedDateUTC"][6:].partition("+")[0]) / 1000, UTC)


def check_lengths(value: Any) -> None:
    """Raises Refusal when a text is too long."""

    def too_long(inner: Any, name: str = "") -> str:
        if isinstance(inner, Mapping):
            return next((found for key, each in inner.items() if (found := too_long(each, key))), "")
        if isinstance(inner, list):
            return next((found for each in inner if (found := too_long(each, name))), "")
        return name if isinstance(inner, str) and len(inner) > _LONGEST.get(name, 4000) else ""

    if name := too_long(value):
        raise invalid(value, f"The {name} field must not be more than {_LONGEST.get(name, 4000)} characters long")


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _day(name: str, given: Record) -> Record:
    """A day as Xero tells it: twice. It takes both `2026-01-31` and its own `/Date(…)/`."""
    if not given.get(name):
        return {}
    text = str(given[name])
    own = re.fullmatch(r"/Date\((\d+)(\+0000)?\)/", text)
    try:
        time = datetime.fromtimestamp(int(own[1]) / 1000, UTC) if own else datetime.fromisoformat(text)
    except (OverflowError, ValueError) as error:
        raise Refusal(14, "PostDataInvalidException", f"{name} is no date") from error
    day = datetime(time.year, time.month, time.day, tzinfo=UTC)
    return {name: f"/Date({int(day.timestamp()) * 1000}+0000)/", f"{name}String": day.strftime("%Y-%m-%dT00:00:00")}
