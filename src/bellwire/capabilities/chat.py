"""Chat: messages to the team."""

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class PostMessage(Given):
    channel: str = Field(min_length=1)
    """The channel's name, with or without `#`, or its id."""
    text: str = Field(min_length=1)
    """Plain text; the connector escapes what its vendor would read as mark-up."""


class Message(Result):
    id: str
    channel: str


POST_MESSAGE = Operation("chat", "post_message", PostMessage, Message, Effect.MESSAGE, "Post a message to the team")

OPERATIONS = (POST_MESSAGE,)
