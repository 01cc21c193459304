"""What people and programs may do."""

from enum import StrEnum


class Right(StrEnum):
    SEE = "see"
    """Look at everything but secrets."""
    WORK = "work"
    """Deal with exceptions and to-dos, start runs again, switch flows."""
    MANAGE = "manage"
    """Change flows, connections, people and settings."""


class Role(StrEnum):
    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"

    @property
    def rights(self) -> frozenset[Right]:
        return _RIGHTS[self]

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_RIGHTS = {
    Role.OWNER: frozenset(Right),
    Role.OPERATOR: frozenset({Right.SEE, Right.WORK}),
    Role.VIEWER: frozenset({Right.SEE}),
}
_MEANINGS = {
    Role.OWNER: "may do everything, also change flows, connections and people",
    Role.OPERATOR: "may deal with exceptions and to-dos, and switch flows",
    Role.VIEWER: "may look at everything, and change nothing",
}
