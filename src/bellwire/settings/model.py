"""The settings of a project, as the rest of the program sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bellwire.business import BusinessCalendar, parse_spans, public_holidays
from bellwire.clock import parse_length
from bellwire.settings.quiet import QuietHours
from bellwire.settings.source import Source
from bellwire.settings.stock import STOCK_FILE

SETTINGS_FILE = "bellwire.toml"
CONNECTIONS_FILE = "connections.toml"

TO_FILL_IN = "<fill in>"
"""What `bellwire init` writes where only the owner knows the value; `bellwire check` reports where it still stands."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        complete = parts.scheme and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("must be a whole address such as https://example.com")
    return value.rstrip("/")


def _ledger(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Berlin or America/Chicago") from None
    return value


def _reminders(value: Any) -> Any:
    try:
        return tuple(parse_length(each) for each in value)
    except (ValueError, TypeError):
        raise ValueError('must be a list of times such as ["1h", "4h", "1d"]') from None


def _quiet_hours(value: Any) -> Any:
    try:
        return QuietHours.parse(value)
    except (ValueError, TypeError):
        raise ValueError("must be two times of the day such as 22:00-07:00") from None


def _hours(value: str) -> str:
    try:
        parse_spans(value)
    except ValueError:
        raise ValueError("must be hours such as 09:00-17:00 or 09:00-12:00, 13:00-17:00, or empty") from None
    return value


def _dates(value: Any) -> Any:
    try:
        return tuple(each if type(each) is date else date.fromisoformat(each) for each in value)
    except (ValueError, TypeError):
        raise ValueError('must be a list of dates such as ["2026-12-25"]') from None


Address = Annotated[str, AfterValidator(_address)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Hours = Annotated[str, AfterValidator(_hours)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Environment = Literal["sandbox", "production"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntakeSettings(_Table):
    """`[intake]`: what is taken in."""

    max_body: Annotated[int, Field(ge=1_000, le=100_000_000)] = 2_000_000
    """The largest delivery that is taken, in bytes."""
    request_seconds: Seconds = 10.0
    """How long a sender may take to send one delivery."""
    max_waiting: Annotated[int, Field(ge=1)] = 10_000
    """How many deliveries may wait to be written before senders are asked to come back later."""


class EngineSettings(_Table):
    """`[engine]`: how much is done at a time."""

    workers: Annotated[int, Field(ge=1, le=10_000)] = 64
    """How many runs go on at the same time."""


class KeepSettings(_Table):
    """`[keep]`: for how many days what was taken in is kept. What isn't finished is kept until it is, and the slim rows
    that recognise a repeat are kept for good."""

    payloads: Days = 30
    """Days that webhooks are kept as they arrived: headers and body."""
    details: Days = 90
    """Days that the data of events is kept, and what their actions brought. Without it nothing can be replayed."""
    requests: bool = True
    """Whether what the other systems are asked, and what they answer, is kept for as long as webhooks are: without
    what signs in, and without the numbers of cards."""


class AlertSettings(_Table):
    """`[alerts]`: when people are told of what needs them. Where to is a secret, and stands in the vault."""

    reminders: Annotated[
        tuple[timedelta, ...], BeforeValidator(_reminders), Field(examples=[["1h", "4h", "1d"]], max_length=20)
    ] = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
    """How long after each message another one reminds of what is still open; the last of them repeats. [] reminds of
    nothing. Where alerts go to: `bellwire secrets set alerts urls`."""
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet_hours), Field(examples=["22:00-07:00"])] = None
    """When no alert is sent, in the time zone of the business; what came up meanwhile is sent afterwards, as one."""


class HoursSettings(_Table):
    """`[hours]`: when the business works, in its time_zone: for flows that wait for business days."""

    mon: Hours = "09:00-17:00"
    """From when to when, such as 09:00-17:00; several with a comma between them; empty: closed."""
    tue: Hours = "09:00-17:00"
    wed: Hours = "09:00-17:00"
    thu: Hours = "09:00-17:00"
    fri: Hours = "09:00-17:00"
    sat: Hours = ""
    sun: Hours = ""
    holidays: Annotated[tuple[date, ...], BeforeValidator(_dates)] = ()
    """Days on which nobody works, such as ["2026-12-25"], beside the public holidays of the country."""
    country: str = ""
    """The country whose public holidays are holidays, by its two letters, such as US."""
    region: str = ""
    """Its state or province, if that has holidays of its own: what ISO 3166-2 says after the country."""

    @field_validator("country", "region")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        country = value if info.field_name == "country" else info.data.get("country", "")
        if value and info.field_name == "region" and not country:
            raise ValueError("needs a country beside it")
        if value:
            try:
                public_holidays(country, value if info.field_name == "region" else "", _ANY_YEAR)
            except ValueError:
                raise ValueError("must be one whose public holidays are known, such as US, and TX in it") from None
        return value

    @model_validator(mode="after")
    def _open(self) -> Self:
        if not any(parse_spans(each) for each in self._week):
            raise ValueError("must have a day of the week that isn't closed")
        return self

    @property
    def _week(self) -> tuple[str, ...]:
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)

    def calendar(self, zone: str) -> BusinessCalendar:
        """The same, for a business in `zone`."""
        return BusinessCalendar(
            zone=zone,
            hours=tuple(parse_spans(each) for each in self._week),
            holidays=frozenset(self.holidays),
            country=self.country,
            region=self.region,
        )


class StockSettings(_Table):
    """`[stock]`: what is watched by the reorder points in stock.csv."""

    connections: Annotated[tuple[str, ...], Field(examples=[["stock"]])] = ()
    """Whose counts of the stock are meant, such as ["stock"]; [] is every connection that tells any. Where several
    systems count the same goods, name the one that is right."""


_ANY_YEAR = 2026
"""Whether a country is known doesn't hang on the year."""


class SettingsTable(_Table):
    """bellwire.toml, as it may be written."""

    business: str = ""
    """The name of the business, for the desk."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """The zone of the times that people read, such as Europe/Berlin."""
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Where Bellwire listens; 0.0.0.0 is every address of this machine."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8787
    """The port it listens on; 0 takes a free one."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """How much is logged: debug, info, warning or error."""
    public_url: Annotated[Address | None, Field(examples=["https://hooks.example.com"])] = None
    """The address that senders use, if it isn't http://HOST:PORT: behind a proxy, say."""
    ledger_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and _ledger(url)),
        Field(repr=False, examples=["sqlite:///data/ledger.db"]),
    ] = None
    """The database: sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE."""
    intake: IntakeSettings = IntakeSettings()
    engine: EngineSettings = EngineSettings()
    keep: KeepSettings = KeepSettings()
    alerts: AlertSettings = AlertSettings()
    hours: HoursSettings = HoursSettings()
    stock: StockSettings = StockSettings()


class ConnectionTable(_Table):
    """One table of connections.toml, as it may be written."""

    connector: str
    """Say which connector it uses; `bellwire init` shows them."""
    environment: Environment
    """Write environment = "sandbox" while you try things out, or "production" for the real account. There is no
    default, so that nobody reaches the real one by accident."""
    base_url: Address | None = None
    """The server to call instead of the vendor's own, such as http://127.0.0.1:9001."""
    since: AwareDatetime | None = None
    """Facts from before this time are kept, but start nothing."""
    timeout: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(minutes=10))] | None = None
    """How many seconds a call may take, 600 at most."""
    settings: dict[str, Any] = {}
    """What this account needs; the connector says what."""


@dataclass(frozen=True)
class ConnectionSettings:
    """One account at a vendor. `settings` isn't checked yet: the connector knows what belongs there."""

    name: str
    connector: str
    environment: Environment
    source: Source
    base_url: str | None = None
    since: datetime | None = None
    timeout: timedelta | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """All that a project's files and the environment say."""

    project: Path
    """The project's folder, absolute."""
    business: str
    time_zone: ZoneInfo
    host: str
    port: int
    log_level: str
    public_url: str
    """Where senders reach us, without a slash at the end. Some signatures cover it."""
    ledger_url: str = field(repr=False)
    """With an absolute path where it is a file. May hold a password."""
    intake: IntakeSettings
    engine: EngineSettings
    keep: KeepSettings
    alerts: AlertSettings
    calendar: BusinessCalendar
    """The days and hours of the business: `[hours]`, in `time_zone`."""
    stock: StockSettings
    connections: Mapping[str, ConnectionSettings]
    source: Source

    @property
    def data(self) -> Path:
        """The folder of the ledger and the vault."""
        return self.project / "data"

    @property
    def flows(self) -> Path:
        """The folder of the flow files."""
        return self.project / "flows"

    @property
    def stock_file(self) -> Path:
        """The reorder points; it need not be there."""
        return self.project / STOCK_FILE

    @property
    def connectors(self) -> Path:
        """The folder of the project's own connectors; it need not be there."""
        return self.project / "connectors"

    def hook_url(self, connection: str) -> str:
        """Where a vendor sends the webhooks of a connection."""
        return f"{self.public_url}/hooks/{connection}"
