"""The reference of a record, for vendors that have no field for it: a line of its text, where people see it too."""

_PREFIX = "Reference: "


def with_reference(text: str, reference: str) -> str:
    return f"{text}\n\n{_PREFIX}{reference}".lstrip()


def says_reference(text: str | None, reference: str) -> bool:
    return f"{_PREFIX}{reference}" in (text or "").splitlines()


def reference_of(text: str | None) -> str:
    """The last one that it says; empty: it says none."""
    lines = reversed((text or "").splitlines())
    return next((line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)), "")
