"""What the organisation holds, and what it takes: its rules and its arithmetic."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE, GOODS
from bellwire.practice.roles import Sale
from bellwire.practice.xero.refusals import Refusal, invalid
from bellwire.practice.xero.sums import check_lengths, day_of, money, rounded

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
_BANK, _SALES, _OTHER, _EXEMPT = "090", "200", "260", "NONE"
_GONE = ("DELETED", "VOIDED")
_ACCOUNTS: Sequence[Record] = (
    {"Code": _BANK, "Name": "Business account", "Type": "BANK", "Class": "ASSET", "CurrencyCode": "USD"},
    {"Code": _SALES, "Name": "Sales", "Type": "REVENUE", "Class": "REVENUE"},
    {"Code": _OTHER, "Name": "Other revenue", "Type": "REVENUE", "Class": "REVENUE"},
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
    mails: list[Record] = field(default_factory=list)
    """The invoices that were e-mailed, by id, and where to."""
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
        record_id = self._id()
        record = {**fields, IDS[collection]: record_id, "UpdatedDateUTC": self._now()}
        self.records[collection][record_id] = record
        return record

    def _id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"

    def _now(self) -> str:
        return f"/Date({int(self.clock().timestamp() * 1000)}+0000)/"

    def add_item(self, code: str, name: str, price: float) -> Record:
        sales = {"UnitPrice": price, "AccountCode": _SALES, "TaxType": "OUTPUT"}
        return self.add("Items", Code=code, Name=name, IsSold=True, IsTrackedAsInventory=False, SalesDetails=sales)

    def account(self, code: str) -> Record | None:
        return next((a for a in self.records["Accounts"].values() if a.get("Code") == code), None)

    def book(self, sale: Sale, total: Money) -> str:
        """A sale of the past, paid: its invoice's id. All of its tax is on the first line."""
        tax = total.amount - sum((line.amount for line in sale.lines), sale.shipping)
        goods = [GOODS[line.sku] for line in sale.lines]
        lines = [
            _sold(good.name, line.amount, _SALES, "OUTPUT") | {"ItemCode": good.sku if good.in_books else "OTHER"}
            for good, line in zip(goods, sale.lines, strict=True)
        ]
        lines[0]["TaxAmount"] = float(tax)
        lines += [_sold("Shipping", sale.shipping, _OTHER, _EXEMPT)] if sale.shipping else []
        day = {"Date": self.clock().date().isoformat()}
        invoice = self.invoice(
            day
            | {
                "Type": "ACCREC",
                "Status": "AUTHORISED",
                "InvoiceNumber": sale.number,
                "Contact": {"ContactID": self._buyer(sale.customer.name)},
                "CurrencyCode": total.currency,
                "DueDate": day["Date"],
                "LineAmountTypes": "Exclusive",
                "LineItems": lines,
            },
            4,
        )
        paid = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": _BANK}, "Amount": invoice["Total"]}
        self.payment(day | paid)
        return str(invoice["InvoiceID"])

    def _buyer(self, name: str) -> str:
        known = (each for each in self.records["Contacts"].values() if each["Name"] == name)
        return str((next(known, None) or self.contact({"Name": name}))["ContactID"])

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
        total = document["Total"]
        return self.add(
            "Invoices",
            **document,
            InvoiceNumber=number,
            CurrencyCode=self._currency(given),
            AmountDue=total,
            AmountPaid=0.0,
            AmountCredited=0.0,
            Status="PAID" if not total and given.get("Status") == "AUTHORISED" else given.get("Status", "DRAFT"),
            **day_of("DueDate", given),
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

    def credit_note(self, given: Record, decimals: int) -> Record:
        check_lengths(given)
        if given.get("Type") != "ACCRECCREDIT":
            raise invalid(given, "Only credit notes of the type ACCRECCREDIT are practised.")
        document = self._document(given, decimals, discounts=False)
        number = given.get("CreditNoteNumber") or f"CN-{len(self.records['CreditNotes']) + 1:04}"
        others = (note for note in self.records["CreditNotes"].values() if note["Status"] not in _GONE)
        if number.casefold() in (other["CreditNoteNumber"].casefold() for other in others):
            raise invalid(given, "Credit note # must be unique.")
        changes = {"CreditNoteNumber": number, "Status": given.get("Status", "DRAFT")}
        total = document["Total"]
        return self.add(
            "CreditNotes",
            **document,
            **changes,
            CurrencyCode=self._currency(given),
            RemainingCredit=total,
            Allocations=[],
            Payments=[],
        )

    def payment(self, given: Record) -> Record:
        """Of an invoice, or of a credit note: what was given back."""
        check_lengths(given)
        refund = "CreditNote" in given
        kind, left = ("CreditNote", "RemainingCredit") if refund else ("Invoice", "AmountDue")
        paid = self.records[f"{kind}s"].get(given.get(kind, {}).get(f"{kind}ID", ""))
        if paid is None:
            raise invalid(given, f"Payments can only be made against authorised documents: no such {kind.lower()}.")
        if paid["Status"] != "AUTHORISED":
            raise invalid(given, "Payments can only be made against Authorised documents")
        account = self._payable(given, "Account")
        if account["Type"] != "BANK" and not account["EnablePaymentsToAccount"]:
            raise invalid(given, "The account must be a bank account, or payments to this account must be enabled.")
        amount, due = money(given.get("Amount", 0)), money(paid[left])
        if amount <= 0:
            raise invalid(given, "The payment amount must be greater than zero.")
        if amount > due:
            raise invalid(given, "Payment amount exceeds the amount outstanding on this document")
        payment = self.add(
            "Payments",
            Amount=float(amount),
            Reference=given.get("Reference", ""),
            Status="AUTHORISED",
            PaymentType="ARCREDITPAYMENT" if refund else "ACCRECPAYMENT",
            IsReconciled=False,
            Account={key: account[key] for key in ("AccountID", "Code")},
            **{kind: {key: paid[key] for key in (f"{kind}ID", f"{kind}Number", "Type")}},
            **self._dated(given),
        )
        if refund:
            told = {key: payment[key] for key in ("PaymentID", "Date", "Amount", "Reference")}
            paid["Payments"] = [*paid["Payments"], told]
        else:
            paid["AmountPaid"] = float(money(paid["AmountPaid"]) + amount)
        self._settle(paid, left, amount)
        return payment

    def allocate(self, note_id: str, given: Record) -> Record:
        """Set a part of a credit note, or all of it, against an invoice."""
        note = self.records["CreditNotes"].get(note_id)
        invoice = self.records["Invoices"].get(given.get("Invoice", {}).get("InvoiceID", ""))
        if note is None or invoice is None:
            raise invalid(given, "The credit note or the invoice to allocate it to could not be found")
        wrong, amount = [], money(given.get("Amount", 0))
        if invoice["Status"] == "PAID":
            wrong.append("The invoice you are trying to allocate to has already been paid off")
        if note["Status"] != "AUTHORISED" or invoice["Status"] not in ("AUTHORISED", "PAID"):
            wrong.append("Only authorised credit notes and invoices can be allocated")
        if invoice["Contact"] != note["Contact"] or invoice["CurrencyCode"] != note["CurrencyCode"]:
            wrong.append("Credit Note cannot be allocated to an invoice of another contact or currency")
        if amount > min(money(note["RemainingCredit"]), money(invoice["AmountDue"])):
            wrong.append("Credit Note cannot be allocated as amount is greater than amount outstanding")
        if amount <= 0 or "Date" not in given:
            wrong.append("An allocation needs a date, and an amount greater than zero")
        if wrong:
            raise invalid(given, *wrong)
        told = {key: invoice[key] for key in ("InvoiceID", "InvoiceNumber")}
        made = {"AllocationID": self._id(), "Amount": float(amount), "Invoice": told, **self._dated(given)}
        made.pop("DateString")
        note["Allocations"] = [*note["Allocations"], made]
        invoice["AmountCredited"] = float(money(invoice["AmountCredited"]) + amount)
        self._settle(note, "RemainingCredit", amount)
        self._settle(invoice, "AmountDue", amount)
        return made

    def _settle(self, document: Record, left: str, amount: Decimal) -> None:
        rest = money(document[left]) - amount
        document |= {left: float(rest), "UpdatedDateUTC": self._now()}
        if not rest:
            document["Status"] = "PAID"

    def email(self, invoice_id: str) -> Record:
        """Send an invoice to its contact."""
        invoice = self.records["Invoices"].get(invoice_id)
        if invoice is None:
            raise Refusal(404, "NotFound", "The resource you're looking for cannot be found", status=404)
        if invoice["Status"] not in ("SUBMITTED", "AUTHORISED", "PAID"):
            raise invalid(invoice, "Only invoices that are submitted, authorised or paid can be emailed")
        contact = self.records["Contacts"][invoice["Contact"]["ContactID"]]
        if not contact.get("EmailAddress"):
            raise invalid(invoice, "The contact has no email address")
        self.mails.append({"InvoiceID": invoice_id, "To": contact["EmailAddress"]})
        invoice |= {"SentToContact": True, "UpdatedDateUTC": self._now()}
        return invoice

    def _currency(self, given: Record) -> str:
        currency: str = given.get("CurrencyCode", "USD")
        if currency != "USD" and not self.multicurrency:
            raise invalid(given, f"Organisation is not subscribed to currency {currency}")
        return currency

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
        kept.pop("CreditNoteNumber", None)
        kept.pop("CurrencyCode", None)
        return kept | {"Contact": known, "LineItems": lines} | totals | self._dated(given)

    def _dated(self, given: Record) -> Record:
        told = day_of("Date", given)
        if self.locked_until and told and date.fromisoformat(told["DateString"][:10]) <= self.locked_until:
            raise invalid(given, "The document date cannot be before the period lock date")
        return told

    def _line(self, line: Record, decimals: int, wrong: list[str], *, discounts: bool) -> Record:
        """As Xero fills it in; what is wrong with it goes into `wrong`. A line may be a description and no more."""
        if line.keys() == {"Description"} and line["Description"]:
            return {**line, "LineAmount": 0.0, "TaxAmount": 0.0}
        quantity = Decimal(str(line.get("Quantity", 1)))
        price = rounded(Decimal(str(line.get("UnitAmount", 0))), decimals)
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


def _sold(what: str, amount: Decimal, account: str, tax_type: str) -> Record:
    told = {"Description": what, "UnitAmount": float(amount), "AccountCode": account}
    return told | {"TaxType": tax_type, "TaxAmount": 0.0}
