"""The company's books: what is in them, and what they refuse."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.quickbooks.queries import FILTERABLE
from bellwire.practice.quickbooks.refusals import Refusal, broken, missing, unknown, written
from bellwire.practice.quickbooks.sums import Applied, checked_amount, decimal
from bellwire.practice.roles import Sale

Record = dict[str, Any]

_EXEMPT = "NON"
GIFT_CARDS = "Gift cards"
_EXTRAS = ("Shipping", "Tips", GIFT_CARDS, "Rounding", "Sales tax", "Other goods", "Services")
"""Items beside the catalogue, by name."""
_DEPOSITABLE = ("Bank", "Other Current Asset")
_RATE = Decimal("0.0825")
"""What tax it works out by itself, where it isn't told."""
_SETTLED = ("RefundReceipt", "SalesReceipt")
"""Documents of which nothing is left to be paid or applied."""
_NAMED = ("Customer", "Vendor", "Employee")
"""What shares one space of display names."""


@dataclass
class Company:
    """In US dollars, with Multicurrency turned on."""

    multicurrency: bool = True
    skewed_by: Decimal = Decimal(0)
    """What this company's own idea of tax adds to every total."""
    clock: Clock = system_clock
    records: dict[str, dict[str, Record]] = field(init=False)
    """Entity → id → record."""
    deleted: dict[str, dict[str, Record]] = field(init=False)
    """The same of those that aren't there any more, as a list of changes tells them."""
    untold: list[tuple[str, str, str, datetime]] = field(default_factory=list)
    """Entity, id, what happened, and when: of which no webhook has told yet."""
    mails: list[Record] = field(default_factory=list)
    """The invoices that were e-mailed, by id, and where to."""

    def __post_init__(self) -> None:
        self._ids = count(1)
        self.records = {entity: {} for entity in FILTERABLE}
        self.deleted = {entity: {} for entity in FILTERABLE}
        income = self._account("Sales of Product Income", "Income", "Revenue")
        owed = self._account("Gift cards outstanding", "Other Current Liability", "Liability")
        for good in CATALOGUE:
            if good.in_books:
                kind = {"Type": "NonInventory", "IncomeAccountRef": income, "UnitPrice": float(good.price)}
                self.add("Item", Name=good.name, Sku=good.sku, **kind)
        for name in _EXTRAS:
            account = owed if name == GIFT_CARDS else income
            self.add("Item", Name=name, Type="Service", IncomeAccountRef=account)
        for name in ("TAX", _EXEMPT):
            self.records["TaxCode"][name] = {"Id": name, "Name": name, "Taxable": name != _EXEMPT, "Active": True}
        self.add("TaxCode", Name="Texas sales tax", Taxable=True, TaxGroup=True)
        self._account("Undeposited Funds", "Other Current Asset", "Asset", AccountSubType="UndepositedFunds")
        self.add("Vendor", DisplayName="Hill Farm")
        self.add("CompanyInfo", CompanyName="Practice Tea Company", Country="US")
        home = {"value": "USD", "name": "United States Dollar"}
        self.add(
            "Preferences",
            CurrencyPrefs={"HomeCurrency": home, "MultiCurrencyEnabled": self.multicurrency},
            SalesFormsPrefs={"CustomTxnNumbers": True, "AllowDiscount": True, "AutoApplyCredit": False},
        )
        self.untold.clear()

    def _account(self, name: str, kind: str, classification: str, **fields: Any) -> Record:
        account = self.add("Account", Name=name, AccountType=kind, Classification=classification, **fields)
        return {"value": account["Id"], "name": name}

    def add(self, entity: str, **fields: Any) -> Record:
        """Put a record into the company, unchecked."""
        record_id = str(next(self._ids))
        record = {**fields, "domain": "QBO", "sparse": False, "Id": record_id, "SyncToken": "0"}
        now = written(self.clock())
        record["MetaData"] = {"CreateTime": now, "LastUpdatedTime": now}
        record.setdefault("Active", True)
        self.records[entity][record_id] = record
        self.untold.append((entity, record_id, "Create", self.clock()))
        return record

    def change(self, entity: str, record_id: str, **fields: Any) -> Record:
        """A later state of a record: its times have whole seconds, and two states must differ."""
        record = self.records[entity][record_id]
        before = datetime.fromisoformat(record["MetaData"]["LastUpdatedTime"])
        now = max(self.clock(), before + timedelta(seconds=1))
        record |= fields | {"SyncToken": str(int(record["SyncToken"]) + 1)}
        record["MetaData"] = {**record["MetaData"], "LastUpdatedTime": written(now)}
        self.untold.append((entity, record_id, "Update", now))
        return record

    def delete(self, entity: str, record_id: str) -> None:
        """As a person does; only documents can be."""
        del self.records[entity][record_id]
        meta = {"LastUpdatedTime": written(self.clock())}
        self.deleted[entity][record_id] = {"domain": "QBO", "status": "Deleted", "Id": record_id, "MetaData": meta}
        self.untold.append((entity, record_id, "Delete", self.clock()))

    def book(self, sale: Sale, total: Money) -> str:
        """A sale of the past, paid: its invoice's id."""
        items = {record.get("Sku", record["Name"]): record["Id"] for record in self.records["Item"].values()}
        lines = [_sold(items.get(line.sku, items["Other goods"]), line.amount, "TAX") for line in sale.lines]
        lines += [_sold(items["Shipping"], sale.shipping, _EXEMPT)] if sale.shipping else []
        tax = total.amount - sum((line.amount for line in sale.lines), sale.shipping)
        currency = {"CurrencyRef": {"value": total.currency}}
        customer = {"CustomerRef": {"value": self._buyer(sale.customer.name, currency)}}
        document = {"DocNumber": sale.number, "Line": lines, "TxnTaxDetail": {"TotalTax": float(tax)}}
        invoice = self.sale("Invoice")(customer | currency | document)["Invoice"]
        owed = invoice["TotalAmt"]
        paid = {"Amount": owed, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        self.payment(customer | currency | {"TotalAmt": owed, "Line": [paid]})
        return str(invoice["Id"])

    def _buyer(self, name: str, currency: Record) -> str:
        known = (each for each in self.records["Customer"].values() if each["DisplayName"] == name)
        found = next(known, None) or self.customer({"DisplayName": name} | currency)["Customer"]
        return str(found["Id"])

    # Writing

    def customer(self, given: Record) -> Record:
        name = given.get("DisplayName", "")
        if not name:
            raise missing("DisplayName")
        if re.search(r"[:\t\n]", name):
            raise Refusal("2040", "Invalid String", "DisplayName holds a colon, tab or newline")
        taken = [r["DisplayName"].casefold() for entity in _NAMED for r in self.records[entity].values()]
        if name.casefold() in taken:
            raise Refusal("6240", "Duplicate Name Exists Error", "Another customer is already using this name.")
        email = given.get("PrimaryEmailAddr", {}).get("Address")
        if email is not None and "@" not in email:
            raise Refusal("2210", "Invalid Email Address format", email)
        given = given | {"CurrencyRef": self._currency(given)}
        return {"Customer": self.add("Customer", **given)}

    def sale(self, entity: str) -> Callable[[Record], Record]:
        def make(given: Record) -> Record:
            customer = self._known("Customer", given, "CustomerRef")
            currency = self._currency(given)
            if customer["CurrencyRef"]["value"] != currency["value"]:
                raise broken("The customer's currency isn't the transaction's.")
            if not self._custom_numbers:
                given = given | {"DocNumber": str(len(self.records[entity]) + 1001)}
            number = given.get("DocNumber", "")
            if number and any(r.get("DocNumber") == number for r in self.records[entity].values()):
                raise Refusal("6140", "Duplicate Document Number Error", f"This number has already been used: {number}")
            if entity == "RefundReceipt" and not given.get("DepositToAccountRef"):
                raise missing("DepositToAccountRef")
            self._check_deposit(given)
            total, tax = self._total(given)
            balance = Decimal(0) if entity in _SETTLED else total
            fields = given | {"CurrencyRef": currency, "TotalAmt": float(total), "Balance": float(balance)}
            if tax:
                fields["TxnTaxDetail"] = given.get("TxnTaxDetail", {}) | {"TotalTax": float(tax)}
            return {entity: self.add(entity, **fields)}

        return make

    @property
    def _custom_numbers(self) -> bool:
        """Whether documents keep the number they come with; if not, QuickBooks counts."""
        (preferences,) = self.records["Preferences"].values()
        return bool(preferences["SalesFormsPrefs"]["CustomTxnNumbers"])

    def payment(self, given: Record) -> Record:
        customer = self._known("Customer", given, "CustomerRef")
        if "TotalAmt" not in given:
            raise missing("TotalAmt")
        self._check_deposit(given)
        applied = [Applied.of(line, self.records, customer) for line in given.get("Line", ())]
        if sum((each.amount * each.sign for each in applied), Decimal(0)) > decimal(given["TotalAmt"]):
            raise broken("The lines come to more than the payment.")
        for each in applied:
            if each.amount > each.left:
                raise broken(f"The amount {each.amount} is above the {each.kind}'s balance of {each.left}.")
        payment = self.add("Payment", **given | {"CurrencyRef": self._currency(given)})
        link = {"TxnId": payment["Id"], "TxnType": "Payment"}
        for each in applied:
            links = [*each.record.get("LinkedTxn", ()), link]
            self.change(each.entity, each.record["Id"], Balance=float(each.left - each.amount), LinkedTxn=links)
        return {"Payment": payment}

    def send(self, invoice_id: str, to: str | None) -> Record:
        """E-mail an invoice; the address stays on it."""
        invoice = self.records["Invoice"].get(invoice_id)
        if invoice is None:
            raise Refusal("610", "Object Not Found", f"Object Not Found : {invoice_id}")
        to = invoice.get("BillEmail", {}).get("Address", "") if to is None else to
        if "@" not in to:
            raise Refusal("2210", "Invalid Email Address format", f"BillEmail {to!r}")
        self.mails.append({"Id": invoice_id, "To": to})
        when = {"DeliveryType": "Email", "DeliveryTime": written(self.clock())}
        sent = {"BillEmail": {"Address": to}, "EmailStatus": "EmailSent", "DeliveryInfo": when}
        return {"Invoice": self.change("Invoice", invoice_id, **sent)}

    def _check_deposit(self, given: Record) -> None:
        if given.get("DepositToAccountRef"):
            account = self._known("Account", given, "DepositToAccountRef")
            if account["AccountType"] not in _DEPOSITABLE:
                raise broken("Deposits go to accounts of the types Bank and Other Current Asset only.")

    def _total(self, given: Record) -> tuple[Decimal, Decimal]:
        """Lines − discount, plus tax unless it is in the prices; and the tax."""
        lines = [line for line in given.get("Line", ()) if line.get("DetailType") != "SubTotalLineDetail"]
        if not lines:
            raise missing("Line")
        goods, discount, taxed = Decimal(0), Decimal(0), None
        for line in lines:
            if line["DetailType"] == "DiscountLineDetail":
                discount += decimal(line["Amount"])
                continue
            detail = line["SalesItemLineDetail"]
            self._known("Item", detail, "ItemRef")
            code = self._known("TaxCode", detail, "TaxCodeRef") if "TaxCodeRef" in detail else {"Taxable": False}
            goods += (amount := checked_amount(line))
            if code["Taxable"]:
                taxed = amount + (taxed or 0)
        tax = Decimal(0) if taxed is None else self._tax(given, taxed)
        included = given.get("GlobalTaxCalculation") == "TaxInclusive"
        total = goods - discount + (0 if included else tax) + self.skewed_by
        if total < 0:
            raise broken("Transaction amount must be 0 or greater.")
        return total, tax

    def _tax(self, given: Record, taxed: Decimal) -> Decimal:
        """As it was told, or else worked out of what is taxed."""
        detail = given.get("TxnTaxDetail", {})
        if "TxnTaxCodeRef" in detail:
            self._known("TaxCode", detail, "TxnTaxCodeRef")
        return decimal(detail.get("TotalTax", taxed * _RATE))

    def _known(self, entity: str, given: Record, ref: str) -> Record:
        """The active record that `given[ref]` names."""
        if ref not in given:
            raise missing(ref)
        record = self.records[entity].get(given[ref].get("value", ""))
        if record is None or not record["Active"]:
            raise unknown(ref, given[ref].get("value", ""))
        return record

    def _currency(self, given: Record) -> Record:
        currency: str = given.get("CurrencyRef", {}).get("value", "USD")
        if currency != "USD" and not self.multicurrency:
            raise broken("Multicurrency isn't turned on.")
        return {"value": currency}


def _sold(item: str, amount: Decimal, tax_code: str) -> Record:
    detail = {"ItemRef": {"value": item}, "TaxCodeRef": {"value": tax_code}}
    return {"DetailType": "SalesItemLineDetail", "Amount": float(amount), "SalesItemLineDetail": detail}
