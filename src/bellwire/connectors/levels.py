"""How far a connector can be trusted: rules, of which each level has some more.

What a declaration shows is looked at here. What only a run shows is proved by tests that carry the rule's name
(`@pytest.mark.proves("paging")`); `tests/connectors/test_levels.py` holds every connector to the level that it states.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bellwire.capabilities import CAPABILITIES
from bellwire.connectors.kit import MANY, Connector, Level, LookUp, OAuth2


def _nothing(_: Connector) -> str:
    return ""


@dataclass(frozen=True)
class Rule:
    """One of them. `lacks` says what a connector's declaration lacks, in a sentence; empty: nothing."""

    name: str
    level: Level
    meaning: str
    lacks: Callable[[Connector], str] = _nothing
    proved: bool = True
    """Whether it takes tests of the connector's own; the others are held by tests that find all connectors."""


def _complete(connector: Connector) -> str:
    asked = {str(op) for name in connector.manifest.capabilities for op in CAPABILITIES[name].values()}
    if lacking := sorted(asked - set(connector.actions)):
        return f"It doesn't do {', '.join(lacking)}."
    bare = [
        str(action.operation)
        for action in connector.actions.values()
        if not isinstance(action.repeat, LookUp) and not next(iter(vars(action.repeat).values()))
    ]
    return f"{', '.join(bare)}: it isn't said what a repeat does." if bare else ""


def _sign_in(connector: Connector) -> str:
    manifest = connector.manifest
    if silent := [credential.field for credential in manifest.credentials if not credential.meaning]:
        return f"It isn't said where the owner finds {', '.join(silent)}."
    return "" if connector.sign_in or not manifest.credentials else "There is no way to try its credentials."


def _signatures(connector: Connector) -> str:
    return "It says not how its deliveries are signed." if connector.triggers and not _signed(connector) else ""


def _signed(connector: Connector) -> bool:
    """Whether its deliveries are; what is only listed needs no signature."""
    assert connector.triggers is not None
    return connector.manifest.webhook is not None or (not connector.triggers.topics and bool(connector.triggers.polls))


def _limits(connector: Connector) -> str:
    manifest = connector.manifest
    return "" if manifest.limits or manifest.parallel < MANY else "It states no limits."


def _repeats(connector: Connector) -> str:
    open_ = [str(each.operation) for each in connector.actions.values() if not each.repeatable]
    return f"A person is asked after each unknown outcome of {', '.join(open_)}." if open_ else ""


def _reconcile(connector: Connector) -> str:
    return "" if connector.triggers and connector.triggers.polls else "It lists nothing that happened since."


def _subscriptions(connector: Connector) -> str:
    triggers = connector.triggers
    return "" if triggers and triggers.subscribing and triggers.topics else "It keeps no subscriptions."


def _version(connector: Connector) -> str:
    return "" if connector.manifest.api_version else "It pins no version."


def _access(connector: Connector) -> str:
    auth = connector.manifest.auth
    if not isinstance(auth, OAuth2):
        return ""
    if auth.consent is None:
        return "Its OAuth has no consent in the browser."
    return "" if connector.manifest.scopes else "It states no scopes."


RULES = (
    Rule(
        "complete",
        Level.BRONZE,
        "Does all that its capabilities ask, and says how each action survives a repeat.",
        _complete,
        proved=False,
    ),
    Rule(
        "practice",
        Level.BRONZE,
        "All of the vendor is in its folder and in a practice server; its name stands nowhere else.",
        proved=False,
    ),
    Rule(
        "sign-in",
        Level.BRONZE,
        "Says where the owner finds each credential, and tries them without changing anything.",
        _sign_in,
        proved=False,
    ),
    Rule("spec", Level.SILVER, "What it asks, and what the practice server answers, is what the vendor describes."),
    Rule("signatures", Level.SILVER, "Checks the vendor's signatures, by the vendor's own vectors.", _signatures),
    Rule("limits", Level.SILVER, "Keeps to the vendor's limits, which its practice server enforces.", _limits),
    Rule("errors", Level.SILVER, "Every refusal has a class, a sentence that an owner understands, and a remedy."),
    Rule("paging", Level.SILVER, "Reads lists to their last page."),
    Rule("sdk", Level.SILVER, "The vendor's own client library gets along with the practice server."),
    Rule(
        "repeats",
        Level.SILVER,
        "No action that moves money, goods or records is doubled by a lost answer, nor left to a person.",
        _repeats,
        proved=False,
    ),
    Rule("reconcile", Level.GOLD, "Lists what happened since, under the keys of its webhooks.", _reconcile),
    Rule("subscriptions", Level.GOLD, "Makes, checks and mends its webhook subscriptions.", _subscriptions),
    Rule("version", Level.GOLD, "Pins the vendor's version on every call, and heeds announcements.", _version),
    Rule("environments", Level.GOLD, "Tells sandbox and production apart."),
    Rule("access", Level.GOLD, "Asks for the least, tells what is too much, and renews sign-ins ahead.", _access),
)
"""In the order of their levels."""

_ORDER = (Level.BRONZE, Level.SILVER, Level.GOLD)


def rules_of(level: Level) -> tuple[Rule, ...]:
    """Those that a connector of this level keeps."""
    return tuple(rule for rule in RULES if _ORDER.index(rule.level) <= _ORDER.index(level))


def shortfalls(connector: Connector, level: Level | None = None) -> Mapping[str, str]:
    """What its declaration lacks for a level, by default the one that it states: rule → a sentence. Rules that it says
    it is exempt from are left out."""
    lacking = {
        rule.name: rule.lacks(connector)
        for rule in rules_of(level or connector.manifest.level)
        if rule.name not in connector.manifest.exempt
    }
    return {name: sentence for name, sentence in lacking.items() if sentence}
