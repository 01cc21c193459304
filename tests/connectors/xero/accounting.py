"""How Xero keeps what the tests of accounting look for."""

from datetime import date, datetime

from tests.connectors.accounting.books import Kept


class XeroBooks(Kept):
    name = "Xero"
    root = "/api.xro/2.0/"
    write = "PUT"
    invoices, receipts, payments = "/Invoices", "/BankTransactions", "/Payments"
    guest = "guest_contact"
    item = "Item code or name"
    longest_name = 255

    def days(self, invoice: str) -> tuple[date, date]:
        record = self.company.books.records["Invoices"][invoice]
        day, due = (datetime.fromisoformat(record[name]).date() for name in ("DateString", "DueDateString"))
        return day, due

    def correct(self, invoice: str, total: float) -> None:
        self.company.books.records["Invoices"][invoice]["Total"] = total

    def owed(self, invoice: str) -> float:
        owed: float = self.company.books.records["Invoices"][invoice]["AmountDue"]
        return owed

    def paid_by(self, invoice: str) -> list[str]:
        payments = self.company.books.records["Payments"].values()
        return [payment["PaymentID"] for payment in payments if payment["Invoice"]["InvoiceID"] == invoice]


BOOKS = XeroBooks
