"""QuickBooks Online for practice: its query language, its arithmetic and its refusals.

It holds the company to what the API reference says of each field; where QuickBooks would quietly mend or drop
something (a tax on lines without a taxable code), so does this.
"""

import base64
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Booked
from bellwire.practice.simulator import Simulator

Record = dict[str, Any]

_REALM = "4620816365000001"
_CLIENT = ("practice-client", "practice-client-secret")
_COMPANY = r"/company/(\d+)/"
"""What of a request says whose quota it counts against."""
_NOW = "2026-11-24T01:30:00-08:00"
_EXEMPT = "NON"
_GIFT_CARDS = "Gift cards"
_EXTRAS = ("Shipping", "Tips", _GIFT_CARDS, "Rounding", "Sales tax", "Other goods")
"""Items beside the catalogue, by name."""

_FILTERABLE = {
    "Item": {"Id", "Name", "Sku", "Type", "Active"},
    "Customer": {"Id", "DisplayName", "PrimaryEmailAddr", "CompanyName", "Active"},
    "Vendor": {"Id", "DisplayName", "Active"},
    "Employee": {"Id", "DisplayName", "Active"},
    "Invoice": {"Id", "DocNumber", "CustomerRef", "TxnDate", "Balance"},
    "SalesReceipt": {"Id", "DocNumber", "CustomerRef", "TxnDate"},
    "CreditMemo": {"Id", "DocNumber", "CustomerRef", "TxnDate"},
    "Payment": {"Id", "PaymentRefNum", "CustomerRef", "TxnDate"},
    "TaxCode": {"Id", "Name", "Active"},
    "Account": {"Id", "Name", "AccountType", "Active"},
    "Preferences": {"Id"},
    "CompanyInfo": {"Id"},
}
_PAYABLE = {"Invoice": "invoice", "CreditMemo": "credit memo"}
"""What a payment can be linked to."""
_DEPOSITABLE = ("Bank", "Other Current Asset")
_NAMED = ("Customer", "Vendor", "Employee")
"""What shares one space of display names."""

_LONGEST = {
    "DisplayName": 500,
    "CompanyName": 100,
    "Address": 100,
    "FreeFormNumber": 30,
    "DocNumber": 21,
    "PaymentRefNum": 21,
    "PrivateNote": 4000,
    "Description": 4000,
    "PostalCode": 30,
    "City": 255,
    "CountrySubDivisionCode": 255,
    "Country": 255,
    **{f"Line{index}": 500 for index in range(1, 6)},
}


class _Refusal(Exception):
    """A validation fault."""

    def __init__(self, code: str, message: str, detail: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.detail, self.status = code, message, detail, status

    def answer(self) -> Response:
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": ""}
        return _json({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": _NOW}, self.status)


@dataclass
class Tokens:
    """Sign-ins. A refresh gives a new refresh token; the one before lives on until the new one is used."""

    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: list[str] = field(default_factory=lambda: ["practice-refresh-token"])

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    def renew(self, used: str) -> Record | None:
        if used not in self.refresh:
            return None
        fresh, access = secrets.token_hex(16), secrets.token_hex(16)
        self.refresh = [used, fresh]
        self.access.add(access)
        return {
            "access_token": access,
            "expires_in": 3600,
            "refresh_token": fresh,
            "x_refresh_token_expires_in": 8726400,
            "token_type": "bearer",
        }


@dataclass
class QuickBooks(Simulator):
    """One company in US dollars, with Multicurrency turned on."""

    vendor: ClassVar[str] = "quickbooks"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
    }
    settings: ClassVar[Mapping[str, Any]] = {"realm_id": _REALM, "home_currency": "USD"}

    quotas: list[Quota] = field(default_factory=lambda: [Quota(500, 60, _COMPANY), Quota(10, 1, _COMPANY)])
    multicurrency: bool = True
    tokens: Tokens = field(default_factory=Tokens)
    records: dict[str, dict[str, Record]] = field(init=False)
    """Entity → id → record."""
    skewed_by: Decimal = Decimal(0)
    """What this company's own idea of tax adds to every total."""

    def __post_init__(self) -> None:
        self._ids = count(1)
        self._answered: dict[str, Record] = {}
        self.records = {entity: {} for entity in _FILTERABLE}
        income = self._account("Sales of Product Income", "Income", "Revenue")
        owed = self._account("Gift cards outstanding", "Other Current Liability", "Liability")
        for good in CATALOGUE:
            if good.in_books:
                kind = {"Type": "NonInventory", "IncomeAccountRef": income, "UnitPrice": float(good.price)}
                self.add("Item", Name=good.name, Sku=good.sku, **kind)
        for name in _EXTRAS:
            account = owed if name == _GIFT_CARDS else income
            self.add("Item", Name=name, Type="Service", IncomeAccountRef=account)
        for name in ("TAX", _EXEMPT):
            self.records["TaxCode"][name] = {"Id": name, "Name": name, "Taxable": name != _EXEMPT, "Active": True}
        self.add("TaxCode", Name="Texas sales tax", Taxable=True, TaxGroup=True)
        self._account("Undeposited Funds", "Other Current Asset", "Asset")
        self.add("Vendor", DisplayName="Hill Farm")
        self.add("CompanyInfo", CompanyName="Practice Tea Company", Country="US")
        home = {"value": "USD", "name": "United States Dollar"}
        self.add(
            "Preferences",
            CurrencyPrefs={"HomeCurrency": home, "MultiCurrencyEnabled": self.multicurrency},
            SalesFormsPrefs={"CustomTxnNumbers": True, "AllowDiscount": True, "AutoApplyCredit": False},
        )

    def _account(self, name: str, kind: str, classification: str) -> Record:
        account = self.add("Account", Name=name, AccountType=kind, Classification=classification)
        return {"value": account["Id"], "name": name}

    def add(self, entity: str, **fields: Any) -> Record:
        """Put a record into the company, unchecked."""
        record_id = str(next(self._ids))
        record = {**fields, "domain": "QBO", "sparse": False, "Id": record_id, "SyncToken": "0"}
        record["MetaData"] = {"CreateTime": _NOW, "LastUpdatedTime": _NOW}
        record.setdefault("Active", True)
        self.records[entity][record_id] = record
        return record

    def routes(self) -> Sequence[BaseRoute]:
        company = "/v3/company/{realm}"
        makers: dict[str, Callable[[Record], Record]] = {
            "creditmemo": self._sale("CreditMemo"),
            "customer": self._customer,
            "invoice": self._sale("Invoice"),
            "payment": self._payment,
            "salesreceipt": self._sale("SalesReceipt"),
        }
        return [
            Route("/oauth2/v1/tokens/bearer", self._token, methods=["POST"]),
            Route(company + "/query", self._guarded(self._query), methods=["GET"]),
            Route(company + "/companyinfo/{id}", self._guarded(self._company)),
            *(
                Route(f"{company}/{path}", self._guarded(self._once(maker)), methods=["POST"])
                for path, maker in makers.items()
            ),
        ]

    def state(self) -> dict[str, Any]:
        return {entity: list(records.values()) for entity, records in self.records.items()}

    # As `Books`

    def booked(self) -> list[Booked]:
        return [
            Booked(
                record["Id"],
                record.get("DocNumber", ""),
                Money.of(_decimal(record["TotalAmt"]) + self._spent(record), record["CurrencyRef"]["value"]),
                paid=not record["Balance"],
            )
            for entity in ("Invoice", "SalesReceipt")
            for record in self.records[entity].values()
        ]

    def _spent(self, record: Record) -> Decimal:
        """What lines of a document take off for gift cards."""
        sold = [line for line in record["Line"] if "SalesItemLineDetail" in line]
        amounts = [
            _decimal(line["Amount"])
            for line in sold
            if self.records["Item"][line["SalesItemLineDetail"]["ItemRef"]["value"]]["Name"] == _GIFT_CARDS
        ]
        return -sum((amount for amount in amounts if amount < 0), Decimal(0))

    def forget(self) -> None:
        """How long a `requestid` is remembered, Intuit doesn't say: here it ends."""
        self._answered.clear()

    def item_for(self, sku: str) -> str | None:
        if all(good.sku != sku for good in CATALOGUE):
            return None
        items = self.records["Item"].values()
        return next(str(r["Id"]) for r in items if r.get("Sku") == sku or r["Name"] == "Other goods")

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        said = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
        return _gateway(429, "THROTTLE", "3001", said, {"Retry-After": str(-int(-seconds // 1))})

    def over_quota(self, seconds: float) -> Response:
        """Without a word about when to come back: Intuit's guide says in a minute."""
        answer = self.rate_limited(seconds)
        del answer.headers["Retry-After"]
        return answer

    def failed(self) -> Response:
        error = {"Message": "An application error has occurred while processing your request", "code": "10000"}
        return _json({"Fault": {"Error": [error], "type": "SystemFault"}, "time": _NOW}, 500)

    def signed_out(self) -> Response:
        return _gateway(401, "AUTHENTICATION", "3200", "message=AuthenticationFailed; errorCode=003200; statusCode=401")

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        basic = "Basic " + base64.b64encode(":".join(_CLIENT).encode()).decode()
        if request.headers.get("authorization") != basic:
            return _json({"error": "invalid_client"}, 401)
        if form.get("grant_type") != "refresh_token":
            return _json({"error": "unsupported_grant_type"}, 400)
        granted = self.tokens.renew(form.get("refresh_token", ""))
        return _json(granted, 200) if granted else _json({"error": "invalid_grant"}, 400)

    def _guarded(self, handle: Callable[[Request, bytes], Record]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens.access:
                return self.signed_out()
            if request.path_params["realm"] != _REALM:
                return _gateway(403, "AUTHORIZATION", "3100", "message=ApplicationAuthorizationFailed; statusCode=403")
            try:
                return _json(handle(request, await request.body()), 200)
            except _Refusal as refusal:
                return refusal.answer()

        return guarded

    def _once(self, make: Callable[[Record], Record]) -> Callable[[Request, bytes], Record]:
        """The same `requestid` gets the same answer and does nothing."""

        def handle(request: Request, body: bytes) -> Record:
            request_id = request.query_params.get("requestid", "")
            if len(request_id) > 50:
                raise _Refusal("2050", "Invalid String Length", "requestid is longer than 50")
            if request_id and request_id in self._answered:
                return self._answered[request_id]
            given = orjson.loads(body)
            _check_lengths(given)
            answer = make(given)
            if request_id:
                self._answered[request_id] = orjson.loads(orjson.dumps(answer))
            return answer

        return handle

    # Reading

    def _company(self, request: Request, body: bytes) -> Record:
        (company,) = self.records["CompanyInfo"].values()
        return {"CompanyInfo": company, "time": _NOW}

    def _query(self, request: Request, body: bytes) -> Record:
        query = Query.parse(request.query_params.get("query", ""))
        chosen = [record for record in self.records[query.entity].values() if query.fits(record)]
        page = chosen[query.start - 1 : query.start - 1 + query.most]
        response = {query.entity: page, "startPosition": query.start, "maxResults": len(page)} if page else {}
        return {"QueryResponse": response, "time": _NOW}

    # Writing

    def _customer(self, given: Record) -> Record:
        name = given.get("DisplayName", "")
        if not name:
            raise _missing("DisplayName")
        if re.search(r"[:\t\n]", name):
            raise _Refusal("2040", "Invalid String", "DisplayName holds a colon, tab or newline")
        taken = [r["DisplayName"].casefold() for entity in _NAMED for r in self.records[entity].values()]
        if name.casefold() in taken:
            raise _Refusal("6240", "Duplicate Name Exists Error", "Another customer is already using this name.")
        email = given.get("PrimaryEmailAddr", {}).get("Address")
        if email is not None and "@" not in email:
            raise _Refusal("2210", "Invalid Email Address format", email)
        given = given | {"CurrencyRef": self._currency(given)}
        return {"Customer": self.add("Customer", **given), "time": _NOW}

    def _sale(self, entity: str) -> Callable[[Record], Record]:
        def make(given: Record) -> Record:
            customer = self._known("Customer", given, "CustomerRef")
            currency = self._currency(given)
            if customer["CurrencyRef"]["value"] != currency["value"]:
                raise _broken("The customer's currency isn't the transaction's.")
            if not self._custom_numbers:
                given = given | {"DocNumber": str(len(self.records[entity]) + 1001)}
            number = given.get("DocNumber", "")
            if number and any(r.get("DocNumber") == number for r in self.records[entity].values()):
                raise _Refusal(
                    "6140", "Duplicate Document Number Error", f"This number has already been used: {number}"
                )
            self._check_deposit(given)
            total = self._total(given)
            balance = Decimal(0) if entity == "SalesReceipt" else total
            fields = given | {"CurrencyRef": currency, "TotalAmt": float(total), "Balance": float(balance)}
            return {entity: self.add(entity, **fields), "time": _NOW}

        return make

    @property
    def _custom_numbers(self) -> bool:
        """Whether documents keep the number they come with; if not, QuickBooks counts."""
        (preferences,) = self.records["Preferences"].values()
        return bool(preferences["SalesFormsPrefs"]["CustomTxnNumbers"])

    def _payment(self, given: Record) -> Record:
        customer = self._known("Customer", given, "CustomerRef")
        if "TotalAmt" not in given:
            raise _missing("TotalAmt")
        self._check_deposit(given)
        applied = [_Applied.of(line, self.records, customer) for line in given.get("Line", ())]
        if sum((each.amount * each.sign for each in applied), Decimal(0)) > _decimal(given["TotalAmt"]):
            raise _broken("The lines come to more than the payment.")
        for each in applied:
            if each.amount > each.left:
                raise _broken(f"The amount {each.amount} is above the {each.kind}'s balance of {each.left}.")
        payment = self.add("Payment", **given | {"CurrencyRef": self._currency(given)})
        link = {"TxnId": payment["Id"], "TxnType": "Payment"}
        for each in applied:
            each.record["Balance"] = float(each.left - each.amount)
            each.record["LinkedTxn"] = [*each.record.get("LinkedTxn", ()), link]
        return {"Payment": payment, "time": _NOW}

    def _check_deposit(self, given: Record) -> None:
        if given.get("DepositToAccountRef"):
            account = self._known("Account", given, "DepositToAccountRef")
            if account["AccountType"] not in _DEPOSITABLE:
                raise _broken("Deposits go to accounts of the types Bank and Other Current Asset only.")

    def _total(self, given: Record) -> Decimal:
        """Lines − discount, plus tax unless it is in the prices."""
        lines = [line for line in given.get("Line", ()) if line.get("DetailType") != "SubTotalLineDetail"]
        if not lines:
            raise _missing("Line")
        goods, discount, taxable = Decimal(0), Decimal(0), False
        for line in lines:
            if line["DetailType"] == "DiscountLineDetail":
                discount += _decimal(line["Amount"])
                continue
            detail = line["SalesItemLineDetail"]
            self._known("Item", detail, "ItemRef")
            code = self._known("TaxCode", detail, "TaxCodeRef") if "TaxCodeRef" in detail else {"Taxable": False}
            taxable = taxable or code["Taxable"]
            goods += _checked_amount(line)
        tax = self._tax(given) if taxable else Decimal(0)
        included = given.get("GlobalTaxCalculation") == "TaxInclusive"
        total = goods - discount + (0 if included else tax) + self.skewed_by
        if total < 0:
            raise _broken("Transaction amount must be 0 or greater.")
        return total

    def _tax(self, given: Record) -> Decimal:
        detail = given.get("TxnTaxDetail", {})
        if "TxnTaxCodeRef" in detail:
            self._known("TaxCode", detail, "TxnTaxCodeRef")
        return _decimal(detail.get("TotalTax", 0))

    def _known(self, entity: str, given: Record, ref: str) -> Record:
        """The active record that `given[ref]` names."""
        if ref not in given:
            raise _missing(ref)
        record = self.records[entity].get(given[ref].get("value", ""))
        if record is None or not record["Active"]:
            raise _unknown(ref, given[ref].get("value", ""))
        return record

    def _currency(self, given: Record) -> Record:
        currency: str = given.get("CurrencyRef", {}).get("value", "USD")
        if currency != "USD" and not self.multicurrency:
            raise _broken("Multicurrency isn't turned on.")
        return {"value": currency}


SIMULATOR = QuickBooks


@dataclass(frozen=True)
class _Applied:
    """What a payment does to one invoice, or with one credit memo."""

    record: Record
    kind: str
    amount: Decimal

    @classmethod
    def of(cls, line: Record, records: Mapping[str, Mapping[str, Record]], customer: Record) -> "_Applied":
        (linked,) = line["LinkedTxn"]
        kind, amount = _PAYABLE.get(linked["TxnType"], ""), _decimal(line["Amount"])
        record = records[linked["TxnType"]].get(linked["TxnId"]) if kind else None
        if record is None:
            raise _unknown("TxnId", linked["TxnId"])
        if record["CustomerRef"]["value"] != customer["Id"]:
            raise _broken(f"The {kind} is another customer's.")
        if amount < 0:
            raise _broken("The amount of a line must be 0 or greater.")
        return cls(record, kind, amount)

    @property
    def sign(self) -> int:
        return 1 if self.kind == _PAYABLE["Invoice"] else -1

    @property
    def left(self) -> Decimal:
        return _decimal(self.record["Balance"])


@dataclass(frozen=True)
class Query:
    """Enough of the query language: conditions joined by AND, with =, IN, LIKE and comparisons."""

    entity: str
    conditions: Sequence[tuple[str, str, Sequence[str]]]
    start: int = 1
    most: int = 100

    @classmethod
    def parse(cls, text: str) -> "Query":
        words = iter(_words(text))
        try:
            if [next(words).upper(), next(words), next(words).upper()] != ["SELECT", "*", "FROM"]:
                raise _bad_query(text)
            entity = next(words)
            if entity not in _FILTERABLE:
                raise _bad_query(f"{entity} can't be queried")
            conditions: list[tuple[str, str, Sequence[str]]] = []
            numbers = {"STARTPOSITION": 1, "MAXRESULTS": 100}
            for word in words:
                if word.upper() in ("WHERE", "AND"):
                    conditions.append(_condition(entity, words))
                elif word.upper() in numbers:
                    numbers[word.upper()] = int(next(words))
                else:
                    raise _bad_query(text)
        except (StopIteration, ValueError) as error:
            raise _bad_query(text) from error
        if not 1 <= numbers["MAXRESULTS"] <= 1000 or numbers["STARTPOSITION"] < 1:
            raise _bad_query("MAXRESULTS goes from 1 to 1000, STARTPOSITION from 1")
        return cls(entity, conditions, numbers["STARTPOSITION"], numbers["MAXRESULTS"])

    def fits(self, record: Record) -> bool:
        """Inactive records are only found when they are asked for."""
        if not record["Active"] and all(name != "Active" for name, _, _ in self.conditions):
            return False
        return all(_holds(_value(record, name), operator, wanted) for name, operator, wanted in self.conditions)


_TOKEN = re.compile(r"\s*(?:('(?:\\.|[^'\\])*')|([\w.]+|[*(),]|<=|>=|[=<>]))", re.DOTALL)


def _words(text: str) -> Iterator[str]:
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad_query(text)
        yield match[1] or match[2]
        position = match.end()


def _condition(entity: str, words: Iterator[str]) -> tuple[str, str, Sequence[str]]:
    name, operator = next(words), next(words).upper()
    if name not in _FILTERABLE[entity]:
        raise _Refusal("4001", "Invalid query", f"Property {name} not found or not filterable for Entity {entity}")
    if operator != "IN":
        return name, operator, (_literal(next(words)),)
    values: list[str] = []
    if next(words) != "(":
        raise ValueError
    while True:
        values.append(_literal(next(words)))
        if (word := next(words)) == ")":
            return name, operator, values
        if word != ",":
            raise ValueError


def _literal(word: str) -> str:
    if word.startswith("'"):
        return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
    if word.lower() in ("true", "false"):
        return word.lower()
    raise ValueError


def _value(record: Record, name: str) -> str:
    value = record.get(name, "")
    if isinstance(value, dict):
        value = value.get("Address", value.get("value", ""))
    return str(value).casefold()


def _holds(value: str, operator: str, wanted: Sequence[str]) -> bool:
    folded = [each.casefold() for each in wanted]
    match operator:
        case "=" | "IN":
            return value in folded
        case "LIKE":
            return re.fullmatch(".*".join(map(re.escape, folded[0].split("%"))), value) is not None
        case "<":
            return value < folded[0]
        case ">":
            return value > folded[0]
        case "<=":
            return value <= folded[0]
        case ">=":
            return value >= folded[0]
        case _:
            raise _bad_query(f"unknown operator {operator}")


def _checked_amount(line: Record) -> Decimal:
    detail, amount = line["SalesItemLineDetail"], _decimal(line["Amount"])
    worked_out = _seven(detail.get("Qty", 1)) * _seven(detail.get("UnitPrice", line["Amount"]))
    if _cents(worked_out) != amount:
        raise _Refusal(
            "6070",
            "Amount calculation incorrect in the request.",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}",
        )
    return amount


def _check_lengths(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_lengths(inner, key)
    elif isinstance(value, list):
        for inner in value:
            _check_lengths(inner, name)
    elif isinstance(value, str) and len(value) > _LONGEST.get(name, 4000):
        raise _Refusal("2050", "String length is either shorter or longer than supported by specification", name)


def _decimal(number: Any) -> Decimal:
    """Two decimals are all that is kept, whatever the currency."""
    return _cents(Decimal(str(number)))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _seven(number: Any) -> Decimal:
    return Decimal(str(number)).quantize(Decimal("0.0000001"), ROUND_HALF_UP)


def _missing(name: str) -> _Refusal:
    return _Refusal("2020", "Required param missing, need to supply the required value for the API", name)


def _unknown(name: str, value: str) -> _Refusal:
    return _Refusal("2500", "Invalid Reference Id", f"Invalid Reference Id : {name} {value!r} not found or inactive")


def _broken(rule: str) -> _Refusal:
    message = "A business validation error has occurred while processing your request"
    return _Refusal("6000", message, f"Business Validation Error: {rule}")


def _bad_query(detail: str) -> _Refusal:
    return _Refusal("4000", "Error parsing query", f"QueryParserError: {detail}")


def _gateway(status: int, kind: str, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The gateway in front of QuickBooks writes its faults in lower case."""
    error = {"message": message, "detail": "", "code": code, "element": None}
    body = {"warnings": None, "fault": {"error": [error], "type": kind}, "queryResponse": None, "time": 1795512600000}
    return _json(body, status, headers)


def _json(body: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {"intuit_tid": "1-practice", **(headers or {})})
