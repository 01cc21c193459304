"""Did you mean …?"""

import difflib
from collections.abc import Iterable


def nearest(wrong: str, right: Iterable[str]) -> str:
    """`did you mean 'total'?`, or a list of what there is, or nothing when there is nothing."""
    names = list(right)
    close = difflib.get_close_matches(wrong, names, 1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"there are: {', '.join(names)}" if names else ""


def spoken(text: str) -> str:
    """With a capital letter and an end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", ".", "!")) else ".") if text else ""
