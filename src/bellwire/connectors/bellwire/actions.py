"""Refunds, reorders and routes, worked out; and what stock.csv says is watched."""

import asyncio

from bellwire.capabilities.planning import (
    LIST_WATCHED,
    PLAN_REFUND,
    PLAN_REORDER,
    ListWatched,
    PlanRefund,
    PlanReorder,
    RefundPlan,
    ReorderPlan,
    WatchedStock,
)
from bellwire.capabilities.routing import PLAN_ROUTE, PlanRoute, RoutePlan
from bellwire.connectors.bellwire.refunds import refund_plan
from bellwire.connectors.bellwire.reorders import reorder_plan
from bellwire.connectors.bellwire.routes import route_plan
from bellwire.connectors.kit import Call, Unkeyed, action

_PURE = Unkeyed("it only works something out")


@action(PLAN_REFUND, repeat=_PURE)
async def plan_refund(call: Call, given: PlanRefund) -> RefundPlan:
    return refund_plan(given)


@action(PLAN_REORDER, repeat=_PURE)
async def plan_reorder(call: Call, given: PlanReorder) -> ReorderPlan:
    return reorder_plan(given)


@action(LIST_WATCHED, repeat=_PURE)
async def list_watched(call: Call, given: ListWatched) -> WatchedStock:
    return WatchedStock(places=call.settings.watched)


@action(PLAN_ROUTE, repeat=_PURE)
async def plan_route(call: Call, given: PlanRoute) -> RoutePlan:
    """In a thread of its own: it takes up to seconds, in which the loop goes on."""
    return await asyncio.to_thread(route_plan, given)
