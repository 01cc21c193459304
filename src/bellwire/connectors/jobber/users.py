"""The people who work with the account."""

from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import listed
from bellwire.connectors.kit import Call
from bellwire.errors import Refused


async def user_id(call: Call, email: str) -> str:
    """Raises Refused (unknown-user)."""
    async for user in listed(call, documents.USERS, ("users",)):
        if user["email"]["raw"].casefold() == email.casefold():
            return str(user["id"])
    raise Refused(
        f"Jobber has no user with the e-mail address {email}.",
        cause=f"unknown-user:{email}",
        remedy="Invite them there, or let the flow name somebody else.",
    )
