"""The owner's consent in the browser: what is asked, and what comes back (RFC 6749, 4.1; RFC 7636, 4)."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from bellwire.connectors.kit.auth import OAuth2
from bellwire.connectors.kit.connection import Connection
from bellwire.errors import BellwireError, SignedOut


@dataclass(frozen=True)
class Asked:
    """A consent that was asked for. It is good for one answer."""

    url: str
    """What the owner opens."""
    redirect_uri: str
    """Where the vendor sends the browser afterwards; it has to be entered at the vendor beforehand."""
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    """Empty where the vendor has no PKCE."""


def ask_consent(connection: Connection, redirect_uri: str) -> Asked:
    """What to open. Raises BellwireError when the vendor has no consent in the browser, MissingCredential when there is
    no client id yet."""
    manifest, auth = connection.manifest, connection.manifest.auth
    if not isinstance(auth, OAuth2) or auth.consent is None:
        raise BellwireError(f"{manifest.title} has no sign-in in the browser.")
    consent, state = auth.consent, secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(64) if consent.pkce else ""
    given = {
        "response_type": "code",
        "client_id": connection.credentials.get("client_id"),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if manifest.scopes:
        given["scope"] = consent.scope_separator.join(manifest.scopes)
    if verifier:
        digest = hashlib.sha256(verifier.encode()).digest()
        given |= {"code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256"}
    address = connection.api.address(consent.url)
    return Asked(f"{address}?{urlencode({**given, **consent.params})}", redirect_uri, state, verifier)


async def redeem_consent(connection: Connection, asked: Asked, answer: str) -> dict[str, str]:
    """Buy the tokens with what the vendor answered, and store them; `answer` is the address that the browser was sent
    to. Gives what else it says, such as the id of the company that the owner chose. Raises SignedOut when the owner
    said no, when it is the answer to something else, or when the vendor takes it back; Transient."""
    told = dict(parse_qsl(urlsplit(answer).query))
    title = connection.manifest.title
    if not secrets.compare_digest(told.pop("state", ""), asked.state):
        raise SignedOut(
            f"This isn't {title}'s answer to what was asked.", remedy="Begin again, and use the newest address."
        )
    if "code" not in told:
        said = told.get("error_description") or told.get("error") or "it gave no reason"
        raise SignedOut(f"{title} gave no consent: {said}.", remedy="Begin again, and agree at the end.")
    await connection.api.sign_in.redeem(told.pop("code"), asked.redirect_uri, asked.verifier)
    return told
