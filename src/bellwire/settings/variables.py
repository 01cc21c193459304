"""Environment variables, and files that they point to (as container platforms hand out secrets)."""

from collections.abc import Mapping
from pathlib import Path

from bellwire.errors import ConfigurationError


def read_variable(environ: Mapping[str, str], name: str) -> str | None:
    """The value of `name`, or the contents (without the last line break) of the file that `NAME_FILE` points to.

    None when neither is set. Raises ConfigurationError when both are set, the file can't be read, or the value is
    empty: something that was meant to be there isn't, and going on without it would hide that.
    """
    pointer = f"{name}_FILE"
    if name in environ and pointer in environ:
        raise ConfigurationError(f"{name} and {pointer} are both set.", remedy="Keep one of them.")
    if name in environ:
        return _filled(name, environ[name])
    if pointer in environ:
        try:
            text = Path(environ[pointer]).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ConfigurationError(
                f"The file that {pointer} names can't be read.", remedy=f"Correct {pointer}, or unset it."
            ) from None
        return _filled(pointer, text.removesuffix("\n").removesuffix("\r"))
    return None


def _filled(name: str, value: str) -> str:
    if not value.strip():
        raise ConfigurationError(f"{name} is set, but empty.", remedy="Give it a value, or unset it.")
    return value
