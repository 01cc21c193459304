"""The best order of a round's visits, found by PyVRP (https://pyvrp.org)."""

from importlib.util import find_spec
from typing import Any

from bellwire.connectors.bellwire.rounds import Round
from bellwire.errors import Refused

HOW_TO_INSTALL = "`scripts/setup routes (where pip installed it: pip install 'bellwire[routes]')` installs it."
_ITERATIONS = 500
"""Counted, not timed, so that a slow machine finds the same. Fifty visits take a second or two, a dozen a tenth of
one."""


def can_solve() -> bool:
    """Whether PyVRP is installed."""
    try:
        return find_spec("pyvrp") is not None
    except ValueError:  # Somebody has taken it out of what can be imported.
        return False


def best_order(whole: Round, begin_with: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of the visits, as many as there is time for, by least cost (`Walk.cost`); the same for the same
    round. `begin_with` is an order that is in time. Raises Refused when PyVRP isn't installed."""
    try:
        # Takes 30 MB and half a second: only for whoever plans routes.
        import numpy as np
        from pyvrp import Client, Depot, Location, ProblemData, Solution, VehicleType, solve
        from pyvrp.stop import MaxIterations
    except ImportError as error:
        raise Refused(
            "To plan a route needs PyVRP, which isn't installed.",
            cause="no-pyvrp",
            remedy=f"{HOW_TO_INSTALL} Start Bellwire again, then retry.",
        ) from error
    travel: Any = np.array(whole.travel)
    data = ProblemData(
        # Only the matrix counts: it has no use for where the places are.
        locations=[Location(0, 0) for _ in travel],
        clients=[
            Client(
                location=place,
                service_duration=visit.takes,
                tw_early=visit.earliest,
                tw_late=min(visit.latest, whole.ends),
                # More than any round costs, so that no visit is left out to save time.
                prize=2 * whole.ends + 1,
                required=False,
            )
            for place, visit in enumerate(whole.visits, start=1)
        ],
        depots=[Depot(location=0), Depot(location=len(travel) - 1)],
        vehicle_types=[
            VehicleType(
                start_depot=0,
                end_depot=1,
                tw_late=whole.ends,
                start_late=0,
                unit_distance_cost=1,
                unit_duration_cost=1,
            )
        ],
        distance_matrices=[travel],
        duration_matrices=[travel],
    )
    first = Solution(data, [list(begin_with)] if begin_with else [])
    found = solve(data, MaxIterations(_ITERATIONS), seed=1, collect_stats=False, initial_solution=first).best
    return tuple(step.idx for route in found.routes() for step in route if step.is_client())
