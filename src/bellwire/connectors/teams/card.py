"""A text as the message that a workflow posts: an Adaptive Card, the one form that all workflows take.

https://adaptivecards.io/schemas/1.4.0/adaptive-card.json
"""

from typing import Any

import orjson

from bellwire.errors import Refused

_LARGEST = 28_000
"""Bytes. Teams posts nothing that is larger than about 28 KB, and only the workflow's own history says so."""
_NOTHING = "\u00a0"
"""What keeps the place of an empty line."""


def card(text: str) -> dict[str, Any]:
    """The message. In a text run nothing is read as mark-up, and it is one line: so each line is a block of its own.

    Raises Refused when it is too large.
    """
    blocks = [
        {
            "type": "RichTextBlock",
            "spacing": "none",
            "inlines": [{"type": "TextRun", "text": line or _NOTHING}],
        }
        for line in text.splitlines()
    ]
    message = {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": blocks,
                    "msteams": {"width": "Full"},
                },
            }
        ],
    }
    if len(orjson.dumps(message)) > _LARGEST:
        raise Refused(
            "The message is too long for Microsoft Teams.", cause="too-long", remedy="Shorten its text in the flow."
        )
    return message
