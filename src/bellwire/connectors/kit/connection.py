"""One account at a vendor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bellwire.connectors.kit.auth import Credentials
from bellwire.connectors.kit.http import Api
from bellwire.connectors.kit.joint import JointLookUp
from bellwire.connectors.kit.manifest import Manifest, Settings
from bellwire.connectors.kit.webhooks import WebhookScheme
from bellwire.events import Environment

if TYPE_CHECKING:
    from bellwire.connectors.kit.connector import Connector


@dataclass(frozen=True)
class Connection:
    """An account with a name (`shop`), an environment, settings and credentials."""

    name: str
    connector: "Connector"
    environment: Environment
    settings: Settings
    credentials: Credentials
    base_url: str
    """The origin that is really called."""
    api: Api
    since: datetime | None = None
    """Facts from before this time are stored, but start no run."""
    remembered: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What the connector has learned of the account, such as the id behind a name; gone with the process."""
    look_ups: dict[str, JointLookUp[Any]] = field(default_factory=dict, compare=False, repr=False)
    """Those that go on, by the list that they look in."""

    @property
    def manifest(self) -> Manifest:
        return self.connector.manifest

    @cached_property
    def webhook(self) -> WebhookScheme | None:
        scheme: WebhookScheme | Callable[[Any], WebhookScheme] | None = self.manifest.webhook
        return scheme(self.settings) if callable(scheme) else scheme

    @property
    def secrets(self) -> list[str]:
        """The webhook secrets that are accepted now. Raises MissingCredential when there is none."""
        return self.credentials.get(self.manifest.webhook_credential).split()
