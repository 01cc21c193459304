"""Where an account lives, and its envelopes as canonical contracts."""

from collections.abc import Mapping
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.docusign.manifest import settings_of
from bellwire.connectors.kit import Call
from bellwire.errors import SignedOut
from bellwire.events import Contract, Signer

Record = Mapping[str, Any]

REFERENCE, KEY = "bellwireReference", "bellwireKey"
"""Custom fields of an envelope: what people know it by, and the key of the action that sent it."""
WITH_DETAILS = {"include": "custom_fields,recipients"}
_BASE = "base_uri"


async def account(call: Call) -> Record:
    """What `GET /oauth/userinfo` says about the account. Raises SignedOut when the sign-in doesn't reach it, with those
    that it does reach."""
    wanted = settings_of(call.connection).account_id
    reached = (await call.api.get("/oauth/userinfo")).json()["accounts"]
    for each in reached:
        if each["account_id"].lower() == wanted.lower():
            call.connection.remembered[_BASE] = each["base_uri"]
            found: Record = each
            return found
    names = ", ".join(f"{each['account_name']} ({each['account_id']})" for each in reached) or "none"
    raise SignedOut(
        f"The sign-in doesn't reach the account {wanted}. It reaches: {names}.",
        cause="no-access",
        remedy=f"Set `account_id` in [{call.connection.name}.settings] of connections.toml to one of these, or make "
        "the user a member of that account.",
    )


async def below(call: Call, path: str) -> str:
    """The whole address of a path below the account, on the server that it lives on."""
    if _BASE not in call.connection.remembered:
        await account(call)
    base = call.connection.remembered[_BASE].rstrip("/")
    return f"{base}/restapi/v2.1/accounts/{settings_of(call.connection).account_id}/{path}"


def contract(envelope: Record) -> Contract:
    """An envelope that was read with its custom fields and recipients. Raises KeyError, TypeError or ValueError when it
    isn't what DocuSign describes."""
    fields = (envelope.get("customFields") or {}).get("textCustomFields") or ()
    signers = (envelope.get("recipients") or {}).get("signers") or ()
    declined = next((each["declinedReason"] for each in signers if each.get("declinedReason")), "")
    changed = envelope.get("lastModifiedDateTime") or envelope["statusChangedDateTime"]
    return Contract(
        id=envelope["envelopeId"],
        title=envelope.get("emailSubject", ""),
        reference=next((each["value"] for each in fields if each["name"] == REFERENCE), ""),
        signers=tuple(
            Signer(
                name=each.get("name", ""),
                email=each["email"],
                signed_at=parse_time(each["signedDateTime"]) if each.get("signedDateTime") else None,
            )
            for each in signers
        ),
        reason=envelope.get("voidedReason") or declined,
        updated_at=parse_time(changed),
    )
