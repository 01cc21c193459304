"""What a browser makes of a form's fields."""

import html
import re
from collections.abc import Mapping, Sequence

_TAG = re.compile(r"<(input|select|textarea|option|/select)\b([^>]*)>(?:\n?([^<]*))?")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


def filled(page: str) -> list[tuple[str, str]]:
    """What the form of the editor would send, or that of a page without one."""
    fields: list[tuple[str, str]] = []
    select, chosen = "", False
    for tag, attributes, after in _tags(page):
        name = attributes.get("name", "")
        if tag == "select":
            select, chosen = name, False
        elif tag == "/select":
            select = ""
        elif tag == "option" and select:
            # Unless one is selected, it is the first.
            if "selected" in attributes or not chosen:
                fields = [*(fields[:-1] if chosen else fields), (select, attributes.get("value", ""))]
            chosen = True
        elif tag == "textarea":
            fields.append((name, html.unescape(after).replace("\n", "\r\n")))
        elif tag == "input" and name and (attributes.get("type") != "checkbox" or "checked" in attributes):
            fields.append((name, attributes.get("value", "").replace("\n", "")))
    return fields


def offered(page: str) -> Mapping[str, Sequence[str]]:
    """What can be chosen in each field that isn't written into."""
    found: dict[str, list[str]] = {}
    select = ""
    for tag, attributes, _ in _tags(page):
        if tag == "select":
            select = attributes.get("name", "")
        elif tag == "option":
            found.setdefault(select, []).append(attributes.get("value", ""))
    return found


def _tags(page: str) -> list[tuple[str, dict[str, str], str]]:
    start = page.find('id="editor"')
    text = page[start : page.find("</form>", start)] if start >= 0 else page
    return [
        (tag, {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(inside)}, after)
        for tag, inside, after in _TAG.findall(text)
    ]
