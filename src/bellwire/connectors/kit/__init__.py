"""What every connector is made of: manifest, sign-in, signatures, HTTP with limits and error classes, actions."""

from bellwire.connectors.kit.actions import (
    Account,
    Action,
    ByKey,
    Call,
    Crosswalk,
    LookUp,
    Repeat,
    Unkeyed,
    Upsert,
    action,
)
from bellwire.connectors.kit.auth import (
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
    HeaderToken,
    NoAuth,
    OAuth2,
)
from bellwire.connectors.kit.connection import Connection
from bellwire.connectors.kit.connector import Connector, Normalised, Triggers, connect, connector
from bellwire.connectors.kit.http import Answer, Api
from bellwire.connectors.kit.joint import JointLookUp
from bellwire.connectors.kit.limits import Limit
from bellwire.connectors.kit.manifest import Credential, Manifest, NoSettings, ProjectPath, Settings
from bellwire.connectors.kit.webhooks import (
    BadSignature,
    Handshake,
    HmacSignature,
    StandardWebhooks,
    WebhookScheme,
)

__all__ = [
    "Account",
    "Action",
    "Answer",
    "Api",
    "Auth",
    "BadSignature",
    "Basic",
    "Bearer",
    "ByKey",
    "Call",
    "ClientCredentials",
    "Connection",
    "Connector",
    "Credential",
    "Credentials",
    "Crosswalk",
    "Handshake",
    "HeaderToken",
    "HmacSignature",
    "JointLookUp",
    "Limit",
    "LookUp",
    "Manifest",
    "NoAuth",
    "NoSettings",
    "Normalised",
    "OAuth2",
    "ProjectPath",
    "Repeat",
    "Settings",
    "StandardWebhooks",
    "Triggers",
    "Unkeyed",
    "Upsert",
    "WebhookScheme",
    "action",
    "connect",
    "connector",
]
