"""What is declared about HTTP APIs that have no connector of their own."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from bellwire.connectors.kit import Credential, Level, Manifest, Settings
from bellwire.events import Environment


class HttpSettings(Settings):
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    """The API's address; all paths are below it, e.g. `https://api.example.com/v1`."""
    sign_in: Literal["bearer", "header", "basic", "none"] = "bearer"
    """How requests are signed in: `bearer` (`Authorization: Bearer …`), `header` (the token in `token_header`),
    `basic` (username and password), or `none`."""
    token_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    """header: its name, e.g. `X-Api-Key`."""
    key_header: str = Field(default="Idempotency-Key", pattern=r"^[A-Za-z0-9-]+$")
    """The header by which the other system knows a request again, where it does."""
    knows_keys: bool = False
    """Whether it really does: that a second request with the same key does nothing a second time stands in its
    documentation. Off: when it isn't known whether a request was carried out, a person is asked."""
    unencrypted: bool = False
    """Whether an url that begins with http:// may lead to another machine: what is sent there, the token too, can be
    read on the way."""
    check_path: str = ""
    """A path that answers 2xx to who is signed in, for `bellwire check`; empty: the address itself."""

    @model_validator(mode="after")
    def _header_has_a_name(self) -> Self:
        if self.sign_in == "header" and not self.token_header:
            raise ValueError('sign_in "header" needs a token_header: the one that carries the token')
        return self

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.unencrypted and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("the url begins with https://; for a system in your own network, set unencrypted = true")
        return self


MANIFEST = Manifest(
    name="http",
    title="The other system",
    capabilities=("requests",),
    base_urls={Environment.SANDBOX: "{url}", Environment.PRODUCTION: "{url}"},
    credentials=(
        Credential("access_token", "For bearer and header: where the other system shows its API keys", required=False),
        Credential("username", "For basic", required=False),
        Credential("password", "For basic; goes with username", required=False),
    ),
    settings=HttpSettings,
    parallel=4,
    largest_answer=1_000_000,
    docs="https://www.rfc-editor.org/rfc/rfc9110",
    level=Level.GOLD,
    exempt={
        "spec": "It is any API: there is no one description.",
        "signatures": "It sends us nothing; `webhook` takes what such a system signs.",
        "sdk": "It is any API: there is no one library.",
        "limits": "It is any API: 429 and Retry-After are obeyed.",
        "paging": "Each request is one that the flow asks for, a page of a list too.",
        "reconcile": "It sends us nothing.",
        "subscriptions": "It sends us nothing.",
        "version": "It is any API: a version stands in its url.",
        "environments": "It is any API: which of its addresses is for trying things out, only its owner knows.",
        "access": "It is any API: tokens are what its owner made of them.",
    },
)
