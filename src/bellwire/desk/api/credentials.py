"""Credentials of connections: tried and kept, bought with a sign-in at the vendor, replaced. They go in, and never come
out: nor is anything of them kept with an answer."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bellwire.connectors.kit import Connection
from bellwire.desk.accounts import Accounts
from bellwire.desk.api.connections import (
    CheckedState,
    FindingRow,
    Name,
    SecretRow,
    find_connection,
    findings_of,
)
from bellwire.desk.api.doors import Doors, Manage, Managing
from bellwire.desk.api.shapes import KEPT, KEPT_WORDS, WHOLE, Body, Flag
from bellwire.desk.connections import secrets_of
from bellwire.desk.consents import Consents
from bellwire.desk.credentials import LONGEST, UNSEEN, CredentialChanges
from bellwire.errors import BellwireError

Secret = Annotated[str, Field(max_length=LONGEST, pattern=KEPT_WORDS)]


class NewCredentials(Body):
    values: dict[Annotated[str, Field(max_length=100, pattern=KEPT)], Secret] = Field(
        min_length=1,
        max_length=50,
        json_schema_extra={"additionalProperties": False},
        description="By field, as `secrets` of the connection has them. What isn't named stays.",
        examples=[{"access_token": "what the vendor shows"}],
    )


class Kept(BaseModel):
    findings: list[FindingRow] = Field(description="What the vendor said to them; empty: it can't be asked.")
    secrets: list[SecretRow]


class Consent(BaseModel):
    address: str = Field(description="What the owner opens in a browser, within ten minutes.")
    redirect_uri: str = Field(
        description="Where the vendor sends the browser afterwards; it has to be entered there beforehand."
    )


class Consented(Body):
    answer: str = Field(
        min_length=1,
        max_length=LONGEST,
        pattern=KEPT,
        description="The whole address that the vendor sent the browser to: it stands in its address bar. The desk's"
        " page there says that it didn't begin this, and leaves it alone.",
    )


class SignedIn(CheckedState):
    said: list[str] = Field(description="What else the vendor said, such as the company that was chosen.")


class NewSecret(Body):
    secret: Secret
    hours: Annotated[int, Field(ge=1, le=720, description="For how long the one before is accepted, too."), WHOLE] = 24


class RotationEnd(Body):
    keep: Literal["new", "old"] = "new"
    unseen: Flag = Field(
        False, description="Drop the old one even though nothing has come yet that is signed with the new one."
    )


class Rotation(BaseModel):
    two_webhook_secrets: bool = Field(description="Whether the one before is still accepted.")
    earlier_secret_until: datetime | None = Field(description="Until when it is; null: it isn't.")


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["connections"], prefix="/connections/{name}"), doors.site
    accounts, consents = Accounts(site), Consents(site.ledger, site.vault, site.clock)
    changes = CredentialChanges(site, accounts)

    async def rotation(connection: Connection) -> Rotation:
        found = await accounts.standing(connection)
        return Rotation(two_webhook_secrets=found.rotating, earlier_secret_until=found.earlier_until)

    @routes.put("/credentials")
    async def put_credentials(name: Name, caller: Manage, given: NewCredentials) -> Kept:
        """Ask its vendor with new credentials, and keep them if it takes them; 409 if it doesn't, and then nothing is
        changed. Sent again it does the same again."""
        connection = find_connection(site, name)
        values = {field: value.strip() for field, value in given.values.items()}
        tried = await changes.try_and_keep(connection, values, caller.name)
        if not tried.good:
            raise BellwireError(tried.findings[0].sentence, remedy=tried.findings[0].remedy)
        return Kept(
            findings=findings_of(tried.findings),
            secrets=[
                SecretRow.model_validate(each, from_attributes=True) for each in secrets_of(connection, site.clock())
            ],
        )

    @routes.post("/sign-in")
    async def begin_sign_in(name: Name, caller: Manage) -> Consent:
        """Begin a sign-in at its vendor, in place of one that this token began before. It ends with
        `/sign-in/answer`."""
        connection = find_connection(site, name)
        asked = changes.ask_consent(connection)
        await consents.begin(name, str(caller.token), asked)
        return Consent(address=asked.url, redirect_uri=asked.redirect_uri)

    @routes.post("/sign-in/answer")
    async def end_sign_in(name: Name, caller: Manage, given: Consented) -> SignedIn:
        """Sign in with what the vendor answered. It is good for one time: 409, if it isn't the answer to what this
        token began."""
        connection = find_connection(site, name)
        taken = await consents.take(str(caller.token), given.answer)
        if taken is None or taken[0] != name:
            raise BellwireError(
                "This isn't the answer to a sign-in that was begun with this token.",
                remedy="It may have taken more than ten minutes, or been used already: begin again.",
            )
        checked, said = await changes.redeem(connection, taken[1], given.answer, caller.name)
        return SignedIn(at=checked.at, findings=findings_of(checked.findings), said=said)

    # Without a key: nothing that hangs on a secret is kept with an answer.
    @routes.post("/rotate")
    async def rotate_webhook_secret(name: Name, caller: Manage, given: NewSecret) -> Rotation:
        """Have webhooks accepted that are signed with another secret, too: then change it at the vendor. Sent again it
        is refused, as that is the secret by then."""
        connection = find_connection(site, name)
        await changes.rotate(connection, given.secret.strip(), caller.name, timedelta(hours=given.hours))
        return await rotation(connection)

    @routes.post("/rotate/end", response_model=Rotation)
    async def end_rotation(name: Name, given: RotationEnd, write: Managing) -> Response:
        """Accept one secret alone from now on. 409, if nothing has come that is signed with the new one."""
        connection = find_connection(site, name)

        async def work() -> Rotation:
            keep_old = given.keep == "old"
            if not await changes.end_rotation(connection, write.who, keep_old=keep_old, unseen=given.unseen):
                raise BellwireError(UNSEEN, remedy="With `unseen`, the old one is dropped anyway.")
            return await rotation(connection)

        return await write.beyond(work)

    return routes
