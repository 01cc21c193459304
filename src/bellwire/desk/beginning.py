"""How a flow begins and when it stops waiting, as fields: its trigger, `gather` and `ends_on`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bellwire.desk.choosing import Group, Offer, Option, Pick, fields, offer, plain, written
from bellwire.desk.filled import line_change, number, put
from bellwire.desk.forms import Form
from bellwire.events import SCHEDULED, Event, data_model
from bellwire.flows import Change, Put, Remove
from bellwire.flows.editing import Where

CLOCK = "clock"
_EVERY = "0 7 * * mon-fri"


@dataclass(frozen=True)
class Stop:
    """A later event that ends a run which waits."""

    name: str
    """What its fields' names begin with."""
    event: Pick
    same: Pick
    called: Pick


@dataclass(frozen=True)
class Beginning:
    """`values` is what the text of the flow says, `triggers` what it can begin with; `sample` gives what is at a path
    for the event that is shown."""

    values: Mapping[str, Any]
    triggers: Offer
    sample: Callable[[str], str]
    zone: str
    """By which the clock goes, unless the flow says otherwise."""

    @property
    def by_clock(self) -> bool:
        return isinstance(self.values.get("trigger"), dict)

    @property
    def event_type(self) -> tuple[str, str]:
        """Connection and type of the event it begins with; empty for one that begins by the clock."""
        return _event(self.values.get("trigger"))

    @property
    def model(self) -> Any:
        """Of the data of the event it begins with."""
        return data_model(self.event_type[1] or SCHEDULED)

    @property
    def trigger(self) -> Pick:
        if self.by_clock:
            return Pick("trigger", CLOCK, "", self.triggers)
        return Pick.only("trigger", written(self.values.get("trigger")), self.triggers)

    @property
    def common(self) -> Pick:
        """What the events that are gathered have in common."""
        groups = [
            Group("From the event", list(fields("event", self.model, self.sample))),
            Group("About the event", list(fields("meta", Event, self.sample))),
        ]
        return Pick.of("gather.by", self._at("gather", "by"), offer(groups, plain))

    @property
    def gather(self) -> Mapping[str, str]:
        return {f"gather.{key}": self._at("gather", key) for key in ("for", "most")}

    @property
    def stops(self) -> list[Stop]:
        return [self._stop(f"ends_on.{at}", value) for at, value in enumerate(self._endings())]

    @property
    def new_stop(self) -> Pick:
        return Pick.only("ends_on.new", "", self.triggers)

    def _endings(self) -> list[Any]:
        found = self.values.get("ends_on")
        return found if isinstance(found, list) else [] if found is None else [found]

    def _stop(self, name: str, value: Any) -> Stop:
        said = value if isinstance(value, dict) else {"event": value}
        event = written(said.get("event"))
        first, later = (_common(kind) for kind in (self.model, data_model(_event(event)[1])))
        return Stop(
            name,
            Pick.only(f"{name}.event", event, self.triggers),
            Pick.of(f"{name}.same", written(said.get("same")), first),
            Pick.of(f"{name}.as", written(said.get("as")), later),
        )

    def _at(self, *where: str) -> str:
        found: Any = self.values
        for key in where:
            found = found.get(key) if isinstance(found, dict) else None
        return written(found)

    # What was filled in

    def wanted(self, form: Form) -> Any:
        """Another trigger; None: it is as it was."""
        wanted = self.trigger.filled(form)
        if wanted == CLOCK:
            return {"every": _EVERY, "zone": self.zone}
        return " ".join(wanted.split()) if wanted else None

    def changes(self, form: Form) -> Iterator[Change]:
        yield from self._trigger(form)
        yield from self._gather(form)
        yield from self._ends_on(form)

    def _trigger(self, form: Form) -> Iterator[Change]:
        if wanted := self.wanted(form):
            yield Put(("trigger",), wanted)
        elif self.by_clock:
            for key in ("every", "zone"):
                yield from line_change(form, f"trigger.{key}", ("trigger", key), self._at("trigger", key))

    def _gather(self, form: Form) -> Iterator[Change]:
        length = form.get("gather.for")
        if "gather.for" in form and self._at("gather", "for") and not length:
            yield Remove(("gather",))
            return
        yield from line_change(form, "gather.for", ("gather", "for"), self._at("gather", "for"))
        if (by := self.common.filled(form)) is not None:
            yield put(("gather", "by"), by.strip())
        yield from line_change(form, "gather.most", ("gather", "most"), self._at("gather", "most"), number)

    def _ends_on(self, form: Form) -> Iterator[Change]:
        found, new = self.values.get("ends_on"), self.new_stop.filled(form)
        one = found is not None and not isinstance(found, list)
        if new and not one:
            yield Put(("ends_on", str(len(found))) if found else ("ends_on",), new if found else [new])
        elif new:
            yield Put(("ends_on",), [found, new])
        gone: list[Where] = []
        for at, (stop, value) in enumerate(zip(self.stops, self._endings(), strict=True)):
            where: Where = ("ends_on",) if one and not new else ("ends_on", str(at))
            filled = [each.filled(form) for each in (stop.event, stop.same, stop.called)]
            if filled[0] == "":
                gone.append(where)
            else:
                yield from _of_stop(where, value, dict(zip(("event", "same", "as"), filled, strict=True)))
        yield from map(Remove, reversed(gone))  # What is behind would have another number.


def _of_stop(where: Where, value: Any, filled: Mapping[str, str | None]) -> Iterator[Change]:
    changed = {key: text for key, text in filled.items() if text is not None}
    if isinstance(value, dict):
        yield from (put((*where, key), text) for key, text in changed.items())
    elif "same" in changed or "as" in changed:
        said = {"event": value} | changed
        yield Put(where, {key: text for key, text in said.items() if text})
    elif changed:
        yield Put(where, changed["event"])


def _event(trigger: Any) -> tuple[str, str]:
    connection, _, event_type = trigger.partition(".") if isinstance(trigger, str) else ("", "", "")
    return connection, event_type


def _common(model: Any) -> Offer:
    """The fields that two events can have in common."""
    group = Group("With the same", list(fields("event", model, lambda _: "")))
    return [
        (label, [Option(each.value.removeprefix("event."), each.label) for each in found])
        for label, found in offer([group], plain)
    ]
