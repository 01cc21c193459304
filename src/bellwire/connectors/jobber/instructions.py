"""The reference of a job: a line of its instructions, where people see it too."""

_PREFIX = "Reference: "


def mark(text: str, reference: str) -> str:
    return f"{text}\n\n{_PREFIX}{reference}".lstrip()


def marked(text: str | None, reference: str) -> bool:
    return f"{_PREFIX}{reference}" in (text or "").splitlines()


def reference_of(text: str | None) -> str:
    """Empty: it says none."""
    lines = reversed((text or "").splitlines())
    return next((line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)), "")
