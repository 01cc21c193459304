"""Asana, declared."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from bellwire.connectors.kit import (
    Call,
    Connection,
    Consent,
    Credential,
    Handshake,
    HmacSignature,
    Level,
    Limit,
    Manifest,
    OAuth2,
    Settings,
)
from bellwire.events import Delivery, Environment

_ORIGIN = "https://app.asana.com"
_VERSION = "1.0"
_HOOK_SECRET = "X-Hook-Secret"  # noqa: S105 - a header's name
_SECRET = re.compile(r"[\w+/=-]{1,256}", re.ASCII)

Gid = Annotated[str, Field(pattern=r"^[0-9]+$")]


class AsanaSettings(Settings):
    workspace: Gid
    """The workspace's or organisation's gid: `bellwire check` lists those that the sign-in reaches; until you know it,
    write 0."""
    projects: tuple[Gid, ...] = ()
    """The projects whose tasks bring events, by their gids: the first long number in a project's address. Empty: none
    do."""
    team: str = Field(default="", pattern=r"^[0-9]*$")
    """The team that new projects belong to, by its gid, where the workspace is an organisation."""


def settings_of(place: Call | Connection) -> AsanaSettings:
    assert isinstance(place.settings, AsanaSettings)
    return place.settings


def _handshake(delivery: Delivery) -> Handshake | None:
    """Asana asks whether we want its events while it makes a webhook; the secret counts only from its own answer."""
    secret = delivery.headers.get(_HOOK_SECRET.lower(), "")
    return Handshake(headers={_HOOK_SECRET: secret}) if _SECRET.fullmatch(secret) else None


MANIFEST = Manifest(
    name="asana",
    title="Asana",
    capabilities=("projects",),
    # A workspace for trying things out is a workspace like any other.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root=f"/api/{_VERSION}/",
    auth=OAuth2(
        token_url=f"{_ORIGIN}/-/oauth_token",
        client_auth_basic=False,
        consent=Consent(f"{_ORIGIN}/-/oauth_authorize"),
    ),
    credentials=(
        Credential(
            "access_token",
            "app.asana.com › My apps › Personal access tokens, or a service account's; not with refresh_token",
            required=False,
        ),
        Credential(
            "client_id",
            "app.asana.com › My apps › your app › OAuth › Client ID; only with refresh_token",
            required=False,
        ),
        Credential("client_secret", "The same page › Client secret; only with refresh_token", required=False),
        Credential("refresh_token", "what a consent in the browser gives your app", required=False),
        Credential(
            "webhook_secret",
            "what Asana makes up when the webhooks are made: one for each project, separated by spaces",
            required=False,
        ),
    ),
    settings=AsanaSettings,
    api_version=_VERSION,
    notices=("Asana-Change",),
    scopes=(
        "jobs:read",
        "projects:read",
        "projects:write",
        "project_templates:read",
        "tasks:read",
        "tasks:write",
        "users:read",
        "webhooks:read",
        "webhooks:write",
        "webhooks:delete",
    ),
    # Of a free workspace; paid ones have ten times as many. https://developers.asana.com/docs/rate-limits
    limits=(Limit(150, per=timedelta(minutes=1)),),
    parallel=10,
    webhook=HmacSignature("X-Hook-Signature", encoding="hex", test=_handshake),
    docs="https://developers.asana.com/docs",
    level=Level.GOLD,
    exempt={
        "environments": "Asana has no sandbox, and doesn't tell a workspace for trying things out from another.",
    },
)
