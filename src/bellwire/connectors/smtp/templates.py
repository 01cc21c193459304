"""Mails from templates: a first line `Subject: …`, then the text. Sandboxed Jinja2."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bellwire.errors import Refused

_BUILT_IN = Path(__file__).parent / "mails"
_SUBJECT = "Subject:"


@dataclass(frozen=True)
class Words:
    subject: str
    text: str


def render(name: str, folder: Path, values: Mapping[str, Any]) -> Words:
    """The template `name` of the project's `folder`, else the one that Bellwire brings, filled with `values`.

    Raises Refused when there is no such template, or when it can't be filled.
    """
    environment = _environment(folder)
    try:
        assert environment.loader is not None
        source, path, _ = environment.loader.get_source(environment, f"{name}.txt")
    except TemplateNotFound as error:
        there = ", ".join(sorted(file.removesuffix(".txt") for file in environment.list_templates(["txt"])))
        raise Refused(
            f"There is no mail template '{name}'.",
            cause="unknown-template",
            remedy=f"Write {folder / name}.txt, or use one of: {there}.",
        ) from error
    # Taken apart before it is filled: a line break in a customer's name can't move text out of the subject.
    first, _, body = source.partition("\n")
    if not first.startswith(_SUBJECT):
        raise Refused(
            f"The mail template '{name}' doesn't begin with a subject.",
            cause="template",
            remedy=f"Make the first line of {path} `Subject: …`.",
        )
    try:
        subject = _template(folder, first.removeprefix(_SUBJECT)).render(values)
        text = _template(folder, body).render(values)
    except TemplateError as error:
        raise Refused(
            f"The mail template '{name}' can't be filled: {error.message}.",
            cause="template",
            remedy=f"Mend {path}, then retry.",
        ) from error
    return Words(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


@lru_cache(maxsize=16)
def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([folder, _BUILT_IN]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=256)
def _template(folder: Path, text: str) -> Template:
    """To make ready to fill takes far longer than to fill. A file that is changed has another text."""
    return _environment(folder).from_string(text)
