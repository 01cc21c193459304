"""What a connector declares about its vendor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from bellwire.connectors.kit.auth import Auth, NoAuth
from bellwire.connectors.kit.limits import Limit
from bellwire.connectors.kit.webhooks import BodyKind, FixedReply, JsonBody, WebhookScheme
from bellwire.events import Environment

MANY = 8
"""Requests at once that a vendor takes without a word about it."""


class Settings(BaseModel):
    """Account settings of a connection, from `[NAME.settings]` of connections.toml. Field docstrings become the
    comments that `bellwire init` writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_the_project(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "")) / path


ProjectPath = Annotated[Path, AfterValidator(_in_the_project)]
"""A file or folder that a setting names, relative to the project's folder, which validation is given as the context
`{"folder": …}`."""


class OwnServer(Settings):
    """Settings of a vendor whose software may run on the customer's own server."""

    ca_file: ProjectPath | None = None
    """Only for a server whose certificate was made in the house: the file with the certificate (PEM) of whoever made
    it, such as certificates/house.pem in the project's folder."""


class NoSettings(Settings):
    """Nothing to set."""


@dataclass(frozen=True)
class Credential:
    """One secret of a connection."""

    field: str
    meaning: str
    """Where the owner finds it, e.g. `Admin › Settings › Apps › your app › API credentials`."""
    required: bool = True
    """False: needed only for some ways of using the connection; the text says which."""


class Level(StrEnum):
    """How far a connector can be trusted; docs/connectors.md has the rules of each."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@dataclass(frozen=True)
class Manifest:
    """A vendor, declared. `base_urls` are origins; `root` is the path below them that all calls share. Both may hold
    `{name}` of a setting."""

    name: str
    title: str
    """As the vendor writes it, e.g. `Acme Books Online`."""
    capabilities: tuple[str, ...]
    base_urls: Mapping[Environment, str]
    root: str = "/"
    auth: Auth = field(default_factory=NoAuth)
    credentials: tuple[Credential, ...] = ()
    settings: type[Settings] = NoSettings
    api_version: str = ""
    """The pinned version; empty where the vendor has none."""
    sunset: date | None = None
    """When the vendor ends the pinned version, if it says so."""
    version_echo: str = ""
    """The header of each answer that tells which version was used, where there is one."""
    notices: tuple[str, ...] = ()
    """Headers of answers that announce a change, beside the standard ones (Deprecation, RFC 9745; Sunset, RFC 8594)."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request, the version among them."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Added to every request's query, the version among them."""
    scopes: tuple[str, ...] = ()
    """The least that the connector's triggers and actions need."""
    limits: tuple[Limit, ...] = ()
    parallel: int = MANY
    """How many requests at once."""
    timeout: timedelta = timedelta(seconds=30)
    largest_answer: int = 0
    """Bytes; 0: whatever comes, where the vendor is trusted to keep it within bounds."""
    public_only: Callable[[Any], bool] = lambda _settings: False
    """Whether a connection with these settings calls public addresses only (in sandbox, this machine too): for
    addresses that strangers give."""
    webhook: WebhookScheme | Callable[[Any], WebhookScheme] | None = None
    """How its deliveries are signed, or a function of the connection's settings that says it."""
    webhook_credential: str = "webhook_secret"
    """Which credential signs deliveries. Several secrets, separated by spaces, are all accepted; so is the one before
    it, for as long as it is kept."""
    webhook_body: BodyKind = field(default_factory=JsonBody)
    """What its deliveries are made of."""
    webhook_setup: str = ""
    """Where the owner enters the address that webhooks go to, for vendors that have no API for it."""
    webhook_reply: Mapping[str, Any] | FixedReply | None = field(default_factory=dict)
    """What its sender wants to read in the answer to a delivery that was taken in, beside what ours says anyway. None:
    the HTTP status alone, whatever the answer. A FixedReply: that, and nothing else."""
    docs: str = ""
    """The vendor's page about its API."""
    level: Level = Level.BRONZE
    exempt: Mapping[str, str] = field(default_factory=dict)
    """Rules of its level that can't apply to this vendor → why, in a sentence."""
