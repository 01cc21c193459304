"""The reference of a project or task: a line of its notes, where people see it too."""

_PREFIX = "Reference: "


def mark(notes: str, reference: str) -> str:
    return f"{notes}\n\n{_PREFIX}{reference}".lstrip()


def marked(notes: str | None, reference: str) -> bool:
    return f"{_PREFIX}{reference}" in (notes or "").splitlines()


def reference_of(notes: str | None) -> str:
    """Empty: it says none."""
    lines = (notes or "").splitlines()
    return next((line.removeprefix(_PREFIX) for line in reversed(lines) if line.startswith(_PREFIX)), "")
