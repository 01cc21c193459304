"""All that a pilot found out, and its verdict: ready or not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bellwire.clock import duration
from bellwire.flows import Flow
from bellwire.practice.pilot.verdict import Check, Tried


@dataclass(frozen=True)
class Report:
    """A finished pilot."""

    flow: Flow
    simulated: bool
    """On practice vendors; else on the project's own sandbox accounts."""
    began: datetime
    took: timedelta
    systems: Mapping[str, str]
    """Connection → the vendor's name for its product."""
    tried: Sequence[Tried]
    on_sandbox: Sequence[str] = ()
    """What has to be known about records on sandbox accounts."""

    @property
    def ready(self) -> bool:
        return not self.why_not

    @property
    def why_not(self) -> list[str]:
        """A sentence for each thing that speaks against going live."""
        alike: dict[str, list[Tried]] = {}
        for tried in self.tried:
            if not tried.as_expected:
                alike.setdefault(tried.why_not, []).append(tried)
        late = [
            f"{each.what}: promised {each.expected}, measured {each.actual}." for each in self._time if not each.held
        ]
        return [_sentence(told, those) for told, those in alike.items()] + late

    @property
    def as_expected(self) -> int:
        return sum(tried.as_expected for tried in self.tried)

    @property
    def slowest(self) -> timedelta | None:
        """Of the records in which nothing failed and nobody was asked."""
        smooth = [tried.took for tried in self.tried if tried.took and not (tried.retried or tried.stuck)]
        return max(smooth, default=None)

    @property
    def error_rate(self) -> Decimal:
        """The share of records that didn't end as expected."""
        return 1 - Decimal(self.as_expected) / len(self.tried)

    @property
    def criteria(self) -> list[Check]:
        """The flow's own criteria of success, against what was measured."""
        most = self.flow.success.error_rate if self.flow.success else None
        if most is None:
            return self._time
        return [
            *self._time,
            Check("Errors", f"at most {percent(most)}", percent(self.error_rate), self.error_rate <= most),
        ]

    @property
    def _time(self) -> list[Check]:
        within, slowest = self.flow.success.within if self.flow.success else None, self.slowest
        if within is None or slowest is None:
            return []
        return [Check("Time to the last step", f"at most {duration(within)}", duration(slowest), slowest <= within)]

    @property
    def by_hand(self) -> timedelta | None:
        """What a person would have spent on these records; None when the flow doesn't say."""
        each = self.flow.manual_minutes
        return None if each is None else timedelta(minutes=float(each * len(self.tried)))

    @property
    def notes(self) -> list[str]:
        """What this pilot can't show."""
        if self.simulated:
            return [
                "The vendors were simulated on this machine: nothing real was called, bought or booked.",
                "Waits between tries were cut short. Your accounts' own settings, such as tax codes, aren't tried here:"
                " `--on sandbox` does that.",
            ]
        return [
            "The records went to your own sandbox accounts. Bellwire can't look into them: the verdict goes by how each"
            " run ended, so look at two or three of them there yourself.",
            *self.on_sandbox,
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs. Times are in seconds."""
        return {
            "flow": self.flow.id,
            "name": self.flow.name,
            "hash": self.flow.hash,
            "on": "practice" if self.simulated else "sandbox",
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round(self.took.total_seconds(), 3),
            "systems": dict(self.systems),
            "ready": self.ready,
            "why_not": self.why_not,
            "records": [tried_as_json(tried) for tried in self.tried],
            "criteria": [asdict(check) for check in self.criteria],
            "minutes_by_hand": None if self.by_hand is None else self.by_hand.total_seconds() / 60,
            "notes": self.notes,
        }


def percent(share: Decimal) -> str:
    """`1 %`."""
    return f"{(share * 100).normalize():f} %"


def _sentence(told: str, alike: Sequence[Tried]) -> str:
    """What went wrong in these records in the same way, and what the owner was told in the first of them."""
    first, *others = alike
    if others:
        which = f"Records {', '.join(str(tried.position) for tried in alike)}"
    else:
        which = f"Record {first.position} ({first.about})"
    sentences = dict.fromkeys(stuck.sentence for stuck in first.stuck)
    return " ".join([f"{which}: {told}.", *sentences])


def tried_as_json(tried: Tried) -> dict[str, Any]:
    """One record, for programs. Times are in seconds."""
    return {
        "position": tried.position,
        "name": tried.name,
        "about": tried.about,
        "as_expected": tried.as_expected,
        "seconds": None if tried.took is None else round(tried.took.total_seconds(), 3),
        "checks": [asdict(check) for check in tried.checks],
        "retried": [asdict(retried) for retried in tried.retried],
        "exceptions": [asdict(stuck) for stuck in tried.stuck],
        "skipped": [{"action": action, "reason": reason} for action, reason in tried.skipped],
    }
