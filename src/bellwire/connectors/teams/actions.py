"""Posting by workflows."""

from collections.abc import Iterator

from bellwire.capabilities.chat import POST_MESSAGE, Message, PostMessage
from bellwire.connectors.kit import Account, Call, Unkeyed, action
from bellwire.connectors.teams.card import card
from bellwire.connectors.teams.errors import about_workflow
from bellwire.connectors.teams.signature import key_of
from bellwire.connectors.teams.workflows import Workflow, find_workflow, read_workflows
from bellwire.errors import Refused, SignedOut


@action(POST_MESSAGE, repeat=Unkeyed("A workflow takes no key, and nobody can look what it has posted."))
async def post_message(call: Call, given: PostMessage) -> Message:
    """`POST` to the workflow of the channel, as a card of plain text. Its answer says that it began, no more.

    The key is the tracking id, by which the workflow's history shows the run: it names the message. Raises Refused
    naming the channel when there is no workflow for it, SignedOut when its URL is no longer good.
    """
    workflow = find_workflow(call.connection, given.channel)
    try:
        await call.api.post(
            workflow.address,
            card(given.text),
            params=workflow.query,
            headers={"x-ms-client-tracking-id": call.key},
            paced_by=workflow.address,
        )
    except (Refused, SignedOut) as error:
        raise about_workflow(error, workflow.title, call.connection.name) from error
    return Message(id=call.key, channel=given.channel.removeprefix("#"))


async def sign_in(call: Call) -> Account:
    """Whether the URLs can be workflows'. Nothing is sent: whatever a workflow gets, it posts."""
    workflows = read_workflows(call.connection)
    titles = ", ".join(workflow.title for workflow in workflows)
    detail = f"for {titles}; that they post shows with the first message"
    warnings = (*_outdated(workflows), *_tokens(call))
    return Account("the workflows of Microsoft Teams", detail, warnings=warnings)


def _outdated(workflows: list[Workflow]) -> Iterator[str]:
    for workflow in workflows:
        if workflow.outdated:
            yield f"The URL for {workflow.title} is an old one, and may have ended: copy it again from the workflow."


def _tokens(call: Call) -> Iterator[str]:
    for token in (call.connection.credentials.find("webhook_secret") or "").split():
        try:
            key_of(token)
        except ValueError:
            yield "The webhook_secret isn't a security token: nothing that Teams sends will be taken in."
