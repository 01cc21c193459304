"""The two ways to what a text names: a command, for who is at the command line, and a page, for who is at the desk.

A text that both show has the command, in backticks, as what does something: "`bellwire secrets set books api_key` takes
the new one." The command line shows it as it is. The desk puts its page in that place, which is a noun as well: "The
credentials page of books takes the new one." So do the alerts that it sends, with the address of the page. What it has
no page for is up to whoever runs Bellwire; an option in brackets, (`--reason "…"`), is for the command line alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

NOWHERE = "whoever runs Bellwire"
"""Does what the desk has no page for."""

_CODE = re.compile(r"(?P<run>\b[Rr]un )?`(?P<code>[^`]*)`")
_COMMAND = re.compile(r"(bellwire|pip|scripts/setup)( (?P<rest>.*))?", re.DOTALL)
_OPTION = re.compile(r" \(`--[^`]*`\)")
_ENDS = re.compile(r"(^|[.?!] )$")


@dataclass(frozen=True)
class Way:
    """What the desk has in place of a command. `address` is that of its page; empty where there is none."""

    words: str
    address: str = ""

    def __html__(self) -> str:
        if not self.address:
            return Markup("{}").format(self.words)
        return Markup('<a href="{}">{}</a>').format(self.address, self.words)


@dataclass(frozen=True)
class _Code:
    """What stands in backticks and is no command."""

    text: str

    def __html__(self) -> str:
        return Markup("<code>{}</code>").format(self.text)


@dataclass(frozen=True)
class _Row:
    """`words` and `address` are filled in with the named groups of the pattern. `unnamed` is for a command that names
    no connection, where none is known from elsewhere."""

    command: re.Pattern[str]
    words: str
    address: str
    unnamed: Way | None = None


_NAME, _FLOW, _NUMBER = r"(?P<name>[a-z][a-z0-9_-]*)", r"(?P<flow>[\w-]+)", r"(?P<number>\d+)"
_OF_A_CONNECTION = rf"( (NAME|{_NAME})\b.*)?"
_ITS_PAGE = Way("the page of the connection", "/connections")


def _row(command: str, words: str, address: str, unnamed: Way | None = None) -> _Row:
    return _Row(re.compile(command, re.DOTALL), words, address, unnamed)


_ROWS = (
    _row(r"secrets set alerts\b.*|alert (list|test)", "the page Alerts", "/settings/alerts"),
    _row(rf"secrets rotate {_NAME}", "the page for another webhook secret of {name}", "/connections/{name}/rotate"),
    _row(
        rf"secrets (set|list){_OF_A_CONNECTION}",
        "the credentials page of {name}",
        "/connections/{name}/credentials",
        _ITS_PAGE,
    ),
    _row(rf"(connect|check|reconcile){_OF_A_CONNECTION}", "the page of {name}", "/connections/{name}", _ITS_PAGE),
    _row(r"records map .*", "the page of the exception", "/exceptions"),
    _row(rf"exception \w+ {_NUMBER}\b.*", "the page of exception {number}", "/exceptions/{number}"),
    _row(r"exception list\b.*", "the page Exceptions", "/exceptions"),
    _row(rf"todo \w+ {_NUMBER}\b.*", "the page of the to-do", "/asks/{number}"),
    _row(r"todo list", "the page To-dos", "/asks"),
    _row(rf"run list --flow {_FLOW}", "the page Runs", "/runs?flow={flow}"),
    _row(r"run list", "the page Runs", "/runs"),
    _row(r"run retry RUN\b.*", "the page of the exception", "/exceptions"),
    _row(r"event list", "the page Events", "/deliveries"),
    _row(rf"pilot {_FLOW}", "its pilot", "/flows/{flow}/pilot"),
    _row(rf"flow mode {_FLOW} live\b.*", "the page that switches it", "/flows/{flow}/mode?to=live"),
    _row(rf"flow mode {_FLOW} (manual|shadow|off)\b.*", "the page that switches it", "/flows/{flow}/mode"),
    _row(r"flow (list|check)", "the page Flows", "/flows"),
    _row(r"dictionary", "the data dictionary", "/help/dictionary"),
)


def in_words(text: str, connection: str = "") -> Markup:
    """A text as the desk shows it. `connection`: which one it is about, where it doesn't say so."""
    return Markup("").join(_parts(text, connection))


def in_letters(text: str, url: str) -> str:
    """A text as it is sent to a person, by mail or in a chat; `url` is where they reach the desk."""

    def told(part: str | Way | _Code) -> str:
        match part:
            case Way(words, address):
                return f"{words} ({url}{address})" if address else words
            case _Code(code):
                return f"`{code}`"
        return part

    return "".join(map(told, _parts(text, "")))


def _parts(text: str, connection: str) -> Iterator[str | Way | _Code]:
    text, done = _OPTION.sub("", text), 0
    for found in _CODE.finditer(text):
        before, run = text[done : found.start()], found["run"] or ""
        done = found.end()
        command = _COMMAND.fullmatch(found["code"])
        if command is None:
            yield from (before, run, _Code(found["code"]))
            continue
        way = _way(command["rest"] or "" if command[1] == "bellwire" else "", connection)
        if run:
            yield from (before, "Use " if run[0] == "R" else "use ", way)
        else:
            begins = _ENDS.search(text, 0, found.start()) is not None
            yield from (before, Way(way.words[0].upper() + way.words[1:], way.address) if begins else way)
    yield text[done:]


def _way(command: str, connection: str) -> Way:
    for row in _ROWS:
        found = row.command.fullmatch(command)
        if found is None:
            continue
        known = {name: value for name, value in found.groupdict().items() if value is not None}
        if connection:
            known.setdefault("name", connection)
        if row.unnamed is not None and "name" not in known:
            return row.unnamed
        return Way(row.words.format_map(known), row.address.format_map(known))
    return Way(NOWHERE)
