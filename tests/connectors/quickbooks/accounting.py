"""How QuickBooks keeps what the tests of accounting look for."""

from datetime import date

from tests.connectors.accounting.books import Kept


class QuickBooksBooks(Kept):
    name = "QuickBooks"
    root = "/v3/company/"
    write = "POST"
    invoices, receipts, payments = "/invoice", "/salesreceipt", "/payment"
    guest = "guest_customer"
    item = "Item name or id"
    longest_name = 500

    def days(self, invoice: str) -> tuple[date, date]:
        record = self.company.books.records["Invoice"][invoice]
        return date.fromisoformat(record["TxnDate"]), date.fromisoformat(record["DueDate"])

    def correct(self, invoice: str, total: float) -> None:
        self.company.books.records["Invoice"][invoice]["TotalAmt"] = total

    def owed(self, invoice: str) -> float:
        owed: float = self.company.books.records["Invoice"][invoice]["Balance"]
        return owed

    def paid_by(self, invoice: str) -> list[str]:
        return [link["TxnId"] for link in self.company.books.records["Invoice"][invoice]["LinkedTxn"]]


BOOKS = QuickBooksBooks
