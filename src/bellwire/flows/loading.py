"""Flow files and bundled templates."""

from importlib.resources import files
from pathlib import Path

from bellwire.errors import ConfigurationError, NotFound
from bellwire.flows.document import MOST_BYTES, too_big
from bellwire.flows.model import Flow
from bellwire.flows.parsing import parse_flow
from bellwire.flows.suggestions import nearest, spoken

_TEMPLATES = files("bellwire.flows") / "templates"


class FlowErrors(ConfigurationError):
    """What is wrong with the files of a folder; each of `errors` says its place."""

    def __init__(self, errors: list[ConfigurationError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def load_flow(path: Path) -> Flow:
    """Raises ConfigurationError when it can't be read or isn't a flow."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"The file can't be read: {error.strerror}.", path=path) from error
    if len(content) > MOST_BYTES:
        raise too_big(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            "The file isn't UTF-8 text.",
            path=path,
            line=content.count(b"\n", 0, error.start) + 1,
            remedy="Save it as UTF-8 in your editor.",
        ) from error
    return parse_flow(text, path)


def load_flows(folder: Path) -> list[Flow]:
    """All `*.yaml` in `folder`, by name. Raises FlowErrors with everything that is wrong with any of them."""
    flows: list[Flow] = []
    errors = [
        ConfigurationError("A flow file ends in .yaml.", path=path, remedy=f"Rename it to {path.stem}.yaml.")
        for path in sorted(folder.glob("*.yml"))
    ]
    for path in sorted(folder.glob("*.yaml")):
        try:
            flows.append(load_flow(path))
        except ConfigurationError as error:
            errors.append(error)
    if errors:
        raise FlowErrors(errors)
    return flows


def template_names() -> list[str]:
    """The bundled templates: each is the flows of one part of a business."""
    return sorted(entry.name for entry in _TEMPLATES.iterdir() if entry.is_dir())


def template(name: str) -> dict[str, str]:
    """The texts of a bundled template's flows (`order_to_cash`, or `order-to-cash`), by their ids. Raises NotFound with
    a suggestion."""
    known = name.replace("-", "_")
    if known not in template_names():
        raise NotFound(f"There is no template '{name}'.", remedy=spoken(nearest(known, template_names())))
    files = sorted((_TEMPLATES / known).iterdir(), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".yaml"): entry.read_text("utf-8") for entry in files if entry.name[0] != "_"}


def bundled_names() -> list[str]:
    """The ids of all flows of all bundled templates: no two have the same."""
    return [flow for name in template_names() for flow in template(name)]


def bundled(flow: str) -> str:
    """The text of one of them. Raises NotFound with a suggestion."""
    texts = {each: text for name in template_names() for each, text in template(name).items()}
    if flow not in texts:
        raise NotFound(f"There is no bundled flow '{flow}'.", remedy=spoken(nearest(flow, texts)))
    return texts[flow]
