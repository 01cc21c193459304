"""Flow files: what a flow is, its expressions, its order, its check before it runs, and the bundled templates.

A flow is read with `load_flows` or `parse_flow`, checked against the connections' connectors with `check_flow`, and
then run by the engine, which asks each action whether it is `wanted`, for its `items`, and for its `inputs`.
"""

from bellwire.flows.checking import Finding, Severity, check_flow, operation_for
from bellwire.flows.dictionary import DataEntry, Dictionary, EventEntry, FieldEntry, Word, dictionary
from bellwire.flows.document import read_values
from bellwire.flows.editing import Change, Put, Remove, Rename, Swap, edited, line_of, where_is
from bellwire.flows.fields import element, fields_of, options
from bellwire.flows.folder import ChangedMeanwhile, FlowFolder, version_of
from bellwire.flows.loading import (
    FlowErrors,
    bundled,
    bundled_names,
    load_flow,
    load_flows,
    template,
    template_names,
)
from bellwire.flows.model import Ending, Flow, FlowAction, Gathering, Owner, Retry, Success
from bellwire.flows.own import Emitted, Waited
from bellwire.flows.parsing import parse_flow, pinned_flow
from bellwire.flows.picture import Box, Picture, picture
from bellwire.flows.runbook import ALWAYS, BY_HAND, Runbook, as_markdown, runbook
from bellwire.flows.scope import SKIPPED, ByHand, Foreseen, Scope, Skipped, scope_for
from bellwire.flows.uses import uses

__all__ = [
    "ALWAYS",
    "BY_HAND",
    "SKIPPED",
    "Box",
    "ByHand",
    "Change",
    "ChangedMeanwhile",
    "DataEntry",
    "Dictionary",
    "Emitted",
    "Ending",
    "EventEntry",
    "FieldEntry",
    "Finding",
    "Flow",
    "FlowAction",
    "FlowErrors",
    "FlowFolder",
    "Foreseen",
    "Gathering",
    "Owner",
    "Picture",
    "Put",
    "Remove",
    "Rename",
    "Retry",
    "Runbook",
    "Scope",
    "Severity",
    "Skipped",
    "Success",
    "Swap",
    "Waited",
    "Word",
    "as_markdown",
    "bundled",
    "bundled_names",
    "check_flow",
    "dictionary",
    "edited",
    "element",
    "fields_of",
    "line_of",
    "load_flow",
    "load_flows",
    "operation_for",
    "options",
    "parse_flow",
    "picture",
    "pinned_flow",
    "read_values",
    "runbook",
    "scope_for",
    "template",
    "template_names",
    "uses",
    "version_of",
    "where_is",
]
