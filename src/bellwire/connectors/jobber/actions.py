"""What Bellwire does in Jobber, and whose account it is."""

from bellwire.connectors.jobber import documents, jobs
from bellwire.connectors.jobber.api import ask
from bellwire.connectors.jobber.clients import find_or_create_client
from bellwire.connectors.jobber.clocks import start_timesheet
from bellwire.connectors.jobber.manifest import settings_of
from bellwire.connectors.jobber.visits import list_visits
from bellwire.connectors.kit import Account, Call
from bellwire.errors import SignedOut

ACTIONS = (find_or_create_client, *jobs.ACTIONS, start_timesheet, list_visits)


async def sign_in(call: Call) -> Account:
    """The account's name. Jobber doesn't tell scopes. Raises SignedOut when it is another than the settings say."""
    account, wanted = (await ask(call, documents.WHO_AM_I))["account"], settings_of(call).account_id
    if account["id"] != wanted:
        raise SignedOut(
            f"The sign-in is for the Jobber account {account['name']} ({account['id']}), but the settings are for "
            f"{wanted}.",
            cause="other-account",
            remedy=f"Set `account_id` in [{call.connection.name}.settings] of connections.toml to it, or connect the "
            "other account.",
        )
    return Account(account["name"], f"account {account['id']}")
