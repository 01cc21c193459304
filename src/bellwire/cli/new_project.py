"""The files of a new project. Settings and their comments come from the models and manifests themselves."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bellwire.connectors.kit import Connector, Credential
from bellwire.docstrings import meaning
from bellwire.settings import STOCK_COLUMNS, TO_FILL_IN
from bellwire.settings.model import SettingsTable

GITIGNORE = "# The ledger, the vault and its key: back them up, but never commit them.\ndata/\n"


def settings_file() -> str:
    """bellwire.toml, with every setting as a comment that shows its default."""
    head = "The settings of this project. Where a setting has a # before it, that is its default: take the # away to "
    return _comment(head + "change it.") + "\n" + "\n".join(_table(SettingsTable))


def counted_by_stock(text: str) -> str:
    """bellwire.toml of a project that has a connection `stock`: its counts are meant, not those of the shop."""
    return text.replace('# connections = ["stock"]', 'connections = ["stock"]')


def stock_file() -> str:
    """stock.csv, to be filled in with a spreadsheet."""
    return ",".join(STOCK_COLUMNS) + "\n"


def connections_file(chosen: Mapping[str, Connector], environment: str) -> str:
    """connections.toml, with what each account needs."""
    head = _comment(
        "The accounts that this project works with. Their secrets aren't here: see `bellwire secrets list`.\n"
        f"Replace each {TO_FILL_IN}; `bellwire check` tells what is missing."
    )
    return head + "".join(_connection(name, connector, environment) for name, connector in chosen.items())


def readme(title: str, chosen: Mapping[str, Connector], hooks: Mapping[str, str], *, watches_stock: bool) -> str:
    """README.md: what is where, where vendors send to, and what to do next."""
    systems = "\n".join(f"| `{name}` | {connector.manifest.title} |" for name, connector in chosen.items())
    addresses = "\n".join(f"| {chosen[name].manifest.title} | `{url}` |" for name, url in hooks.items())
    return _README.format(
        title=title,
        stock=_STOCK if watches_stock else "",
        systems=systems,
        addresses=addresses,
        commands="\n".join(secret_commands(chosen)),
    )


def secret_commands(chosen: Mapping[str, Connector]) -> list[str]:
    """The commands that put each credential that is needed into the vault."""
    return [
        f"bellwire secrets set {name} {credential.field}"
        for name, connector in chosen.items()
        for credential in connector.manifest.credentials
        if credential.required
    ]


def takes_webhooks(connector: Connector) -> bool:
    """Whether its vendor sends us anything."""
    return connector.triggers is not None and connector.manifest.webhook is not None


def _connection(name: str, connector: Connector, environment: str) -> str:
    manifest = connector.manifest
    about = f"{manifest.title}: {manifest.docs}" if manifest.docs else manifest.title
    settings = list(_table(manifest.settings))
    lines = [
        "",
        _comment(about + "".join(f"\n{_secret(name, credential)}" for credential in manifest.credentials)).rstrip(),
        f"[{name}]",
        f"connector = {json.dumps(connector.name)}",
        f'environment = "{environment}"',
        '# base_url = "http://127.0.0.1:9001/…"  # another server, e.g. one of `bellwire practice`',
        *(["", f"[{name}.settings]", *settings] if settings else []),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _secret(connection: str, credential: Credential) -> str:
    optional = "" if credential.required else " (optional)"
    return f"bellwire secrets set {connection} {credential.field}{optional}: {credential.meaning}"


def _table(model: type[BaseModel], name: str = "") -> Iterator[str]:
    inner = {key: part for key, field in model.model_fields.items() if (part := _as_model(field.annotation))}
    if name:
        yield f"[{name}]"
    for key, field in model.model_fields.items():
        if key not in inner:
            yield from _setting(key, field, meaning(model, key))
    for key, part in inner.items():
        yield from _table(part, f"{name}.{key}" if name else key)


def _setting(name: str, field: FieldInfo, said: str) -> Iterator[str]:
    if said:
        yield _comment(said).rstrip()
    if field.is_required():
        yield f'{name} = "{TO_FILL_IN}"\n'
    else:
        shown = field.examples[0] if field.examples else field.get_default(call_default_factory=True)
        yield f"# {name} = {_toml(shown)}\n"


def _toml(value: Any) -> str:
    """A default as TOML. None, for which TOML has no word, is an empty text: only an example anyway."""
    return json.dumps("" if value is None else value, ensure_ascii=False, default=str)


def _as_model(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _comment(text: str) -> str:
    wrapped = (line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph.strip(), 110))
    return "".join(f"# {line}\n" for line in wrapped)


_STOCK = "| `stock.csv` | with how many left an item is low: one line an item, filled in with a spreadsheet |\n"
_README = """\
# {title}

This folder is a Bellwire project. It is fit for git, but for `data/`.

| file | what it is for |
| --- | --- |
| `bellwire.toml` | settings of the program |
| `connections.toml` | the accounts at each vendor; no secrets |
| `flows/` | what happens when: one file a flow |
{stock}| `data/` | the ledger and the vault. Back it up; keep `data/vault.key` in a second, safe place |

## Accounts

| name | vendor |
| --- | --- |
{systems}

## Where vendors send their webhooks

| vendor | address |
| --- | --- |
{addresses}

From outside, Bellwire needs an https address of its own: set `public_url` in `bellwire.toml` to it, and enter the
addresses above with it at the vendors.

## Next

```console
{commands}
bellwire check
bellwire up
```
"""
