"""Times, amounts and numbers as people write them."""

from datetime import UTC, datetime, time, tzinfo

import orjson
from babel.dates import format_date, format_datetime, format_time, get_timezone_name
from babel.numbers import format_currency

from bellwire.money import Money

_LOCALE = "en_US"


class Words:
    """Words for the people of one business: its `zone` is the one that all times are shown in."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def midnight(self, now: datetime) -> datetime:
        """When the local day of `now` began, UTC."""
        return datetime.combine(now.astimezone(self._zone).date(), time(), self._zone).astimezone(UTC)

    def zone(self, moment: datetime) -> str:
        """`Central Standard Time`."""
        return get_timezone_name(moment.astimezone(self._zone), locale=_LOCALE)

    def day(self, moment: datetime) -> str:
        """`Tuesday, November 24, 2026`."""
        return format_date(moment.astimezone(self._zone).date(), "full", locale=_LOCALE)

    def date(self, moment: datetime) -> str:
        """`Nov 24`."""
        return format_date(moment.astimezone(self._zone).date(), "MMM d", locale=_LOCALE)

    def whole_date(self, moment: datetime) -> str:
        """`Nov 24, 2026`."""
        return format_date(moment.astimezone(self._zone).date(), "medium", locale=_LOCALE)

    def clock(self, moment: datetime) -> str:
        """`9:30:02 AM`."""
        return format_time(moment, "h:mm:ss a", tzinfo=self._zone, locale=_LOCALE)

    def hour(self, moment: datetime) -> str:
        """`9 AM`."""
        return format_time(moment, "h a", tzinfo=self._zone, locale=_LOCALE)

    def when(self, moment: datetime, now: datetime) -> str:
        """`9:30 AM` on the day of `now`, `Nov 20, 9:30 AM` on any other."""
        pattern = "h:mm a" if self._date(moment) == self._date(now) else "MMM d, h:mm a"
        return format_datetime(moment, pattern, tzinfo=self._zone, locale=_LOCALE)

    def _date(self, moment: datetime) -> object:
        return moment.astimezone(self._zone).date()


def money(amount: Money) -> str:
    """`$24.40`."""
    return format_currency(amount.amount, amount.currency, locale=_LOCALE)


def number(value: int) -> str:
    """`1,024`."""
    return f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 order`, `2 orders`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def ordinal(value: int) -> str:
    """`1st`, `2nd`, `11th`."""
    last = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{last}"


def joined(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def pretty(text: str) -> str:
    """JSON, indented; anything else as it is."""
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text
