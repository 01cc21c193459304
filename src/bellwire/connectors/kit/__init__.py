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
from bellwire.connectors.kit.addresses import is_loopback, only_from_here
from bellwire.connectors.kit.auth import (
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    Consent,
    Credentials,
    HeaderToken,
    NoAuth,
    OAuth2,
)
from bellwire.connectors.kit.connection import Connection
from bellwire.connectors.kit.connector import Connector, Normalised, Triggers, connect, connector
from bellwire.connectors.kit.consent import Asked, ask_consent, redeem_consent
from bellwire.connectors.kit.http import Answer, Api
from bellwire.connectors.kit.joint import JointLookUp
from bellwire.connectors.kit.limits import Limit
from bellwire.connectors.kit.manifest import Credential, Level, Manifest, NoSettings, ProjectPath, Settings
from bellwire.connectors.kit.polling import POLLED, Listed, Page, Poll, polled
from bellwire.connectors.kit.subscribing import Standing, Subscribing, Subscription, repair, standing
from bellwire.connectors.kit.webhooks import (
    AnyBody,
    BadSignature,
    BodyKind,
    FormBody,
    Handshake,
    HmacSignature,
    JsonBody,
    StandardWebhooks,
    WebhookScheme,
)

__all__ = [
    "POLLED",
    "Account",
    "Action",
    "Answer",
    "AnyBody",
    "Api",
    "Asked",
    "Auth",
    "BadSignature",
    "Basic",
    "Bearer",
    "BodyKind",
    "ByKey",
    "Call",
    "ClientCredentials",
    "Connection",
    "Connector",
    "Consent",
    "Credential",
    "Credentials",
    "Crosswalk",
    "FormBody",
    "Handshake",
    "HeaderToken",
    "HmacSignature",
    "JointLookUp",
    "JsonBody",
    "Level",
    "Limit",
    "Listed",
    "LookUp",
    "Manifest",
    "NoAuth",
    "NoSettings",
    "Normalised",
    "OAuth2",
    "Page",
    "Poll",
    "ProjectPath",
    "Repeat",
    "Settings",
    "StandardWebhooks",
    "Standing",
    "Subscribing",
    "Subscription",
    "Triggers",
    "Unkeyed",
    "Upsert",
    "WebhookScheme",
    "action",
    "ask_consent",
    "connect",
    "connector",
    "is_loopback",
    "only_from_here",
    "polled",
    "redeem_consent",
    "repair",
    "standing",
]
