"""What is declared about subscribers."""

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from bellwire.connectors.kit import Credential, Level, Manifest, Settings
from bellwire.events import Environment


class SubscriberSettings(Settings):
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?(\?[^\s#]*)?$")
    """Where events are sent, as the subscriber gave it, e.g. `https://example.com/hooks/orders`."""
    allow_private: bool = False
    """Whether it may be an address that isn't public: this machine, the office's network."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_private and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("events cross the network encrypted: the url begins with https://")
        return self


def _public_only(settings: SubscriberSettings) -> bool:
    return not settings.allow_private


MANIFEST = Manifest(
    name="subscriber",
    title="The subscriber",
    capabilities=("subscriber",),
    # Each subscriber has an address for trying things out, or hasn't.
    base_urls={Environment.SANDBOX: "{url}", Environment.PRODUCTION: "{url}"},
    credentials=(
        Credential(
            "signing_secret",
            "you make it up, and give it to the subscriber: `echo whsec_$(openssl rand -base64 32)`. Two, separated by "
            "a space, while one is changed: both sign",
        ),
    ),
    settings=SubscriberSettings,
    # One subscriber, and events in their order as far as can be.
    parallel=4,
    # The specification asks for 15 to 30 seconds.
    timeout=timedelta(seconds=20),
    largest_answer=100_000,
    public_only=_public_only,
    docs="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    level=Level.GOLD,
    exempt={
        "sign-in": "There is nothing to sign in to: each event is signed, and a test would be an event.",
        "spec": "There is no description by machine; the specification's reference library is the test.",
        "limits": "Subscribers publish none: 429 and Retry-After are obeyed.",
        "paging": "Nothing is listed.",
        "reconcile": "It sends us nothing.",
        "subscriptions": "It sends us nothing; it is a subscription itself.",
        "version": "The version stands in each signature (v1), and answers tell none.",
        "environments": "Whose subscriber an address is can't be asked: only its owner knows.",
        "access": "There are no scopes, and the secret is ours.",
    },
)
