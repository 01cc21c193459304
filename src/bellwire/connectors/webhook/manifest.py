"""What is declared about senders that have no connector of their own."""

from typing import Literal, Self

from pydantic import Field, model_validator

from bellwire.connectors.kit import (
    Credential,
    HmacSignature,
    Level,
    Manifest,
    Settings,
    StandardWebhooks,
    WebhookScheme,
)
from bellwire.events import Environment

_PATH = r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$"


class WebhookSettings(Settings):
    scheme: Literal["standard", "hmac"] = "standard"
    """How deliveries are signed: `standard` (standardwebhooks.com), or `hmac`: a hash of the body in a header."""
    header: str = ""
    """hmac: the header with the signature, e.g. `X-Signature`."""
    encoding: Literal["base64", "hex"] = "hex"
    """hmac: how the signature is written."""
    prefix: str = ""
    """hmac: what stands before it, e.g. `sha256=`."""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    """hmac: the hash."""
    id_header: str = ""
    """hmac: the header that names a delivery and stays the same when it is sent again; empty: the body's hash."""
    event_type: str = Field(default="", pattern=r"^([a-z][a-z0-9_]*(\.[a-z0-9_]+)+)?$")
    """What every delivery is, e.g. `order.paid`; empty: the delivery says it in `type_field`."""
    type_field: str = Field(default="type", pattern=_PATH)
    """Where in the body the event type stands; a dot goes a level deeper: `event.name`."""
    data_field: str = Field(default="data", pattern=_PATH)
    """Where the data stands; empty: the whole body is the data."""
    subject_field: str = Field(default="", pattern=_PATH)
    """Where in the body stands what it is about, e.g. `data.customer_id`; empty: the id of the data."""
    time_field: str = Field(default="timestamp", pattern=_PATH)
    """Where in the body stands when it happened: ISO 8601 with an offset, or Unix seconds. Without it: when it came."""

    @model_validator(mode="after")
    def _hmac_has_a_header(self) -> Self:
        if self.scheme == "hmac" and not self.header:
            raise ValueError('scheme "hmac" needs a header: the one that carries the signature')
        return self


def signature(settings: WebhookSettings) -> WebhookScheme:
    """How this connection's deliveries are signed."""
    if settings.scheme == "standard":
        return StandardWebhooks()
    return HmacSignature(
        settings.header,
        encoding=settings.encoding,
        prefix=settings.prefix,
        algorithm=settings.algorithm,
        id_header=settings.id_header,
    )


MANIFEST = Manifest(
    name="webhook",
    title="Signed webhook",
    capabilities=(),
    # Nothing is ever called.
    base_urls={Environment.SANDBOX: "", Environment.PRODUCTION: ""},
    credentials=(
        Credential(
            "webhook_secret",
            "The sender shows it where its webhooks are set up; whsec_… and whpk_… as they are. Several, separated by "
            "spaces, are all accepted",
        ),
    ),
    settings=WebhookSettings,
    webhook=signature,
    webhook_setup="Where the sender has its webhooks set up",
    docs="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    level=Level.GOLD,
    exempt={
        "sign-in": "Nothing is called.",
        "spec": "There is no description by machine; the specification's reference library is the test.",
        "limits": "Nothing is called.",
        "errors": "Nothing is called.",
        "paging": "Nothing is called.",
        "reconcile": "It is any sender: what it could list isn't known; `webhook-id` and its repeats are all there is.",
        "subscriptions": "It is any sender: there is no one API for them.",
        "version": "The version stands in each signature (v1, v1a); unknown ones are never taken for valid.",
        "environments": "It is any sender: each environment has a secret of its own.",
        "access": "There are no scopes.",
    },
)
