"""Calculations as actions: a flow's results fit them, and theirs fit what comes after."""

from dataclasses import replace

import pytest

from bellwire.capabilities.planning import PLAN_REFUND, PLAN_REORDER, PlanRefund, PlanReorder, RefundPlan, ReorderPlan
from bellwire.capabilities.routing import PLAN_ROUTE, PlanRoute, RoutePlan
from bellwire.connectors.bellwire import CONNECTOR
from bellwire.events import Environment
from bellwire.flows import check_flow
from tests.connecting import call, connection
from tests.flows.standins import CONNECTORS, standin
from tests.flows.writing import flow
from tests.samples import order

REFUND = PlanRefund.model_validate(
    {"lines": order().lines, "taxes_included": False, "returned": [{"sku": "TEA-100", "quantity": 1}],
     "paid": order().total, "damaged": "none"},
    from_attributes=True,
)  # fmt: skip
REORDER = PlanReorder.model_validate(
    {"items": [{"sku": "TEA-100", "available": 1, "reorder_point": 5}],
     "terms": [{"sku": "TEA-100", "supplier_id": "7"}], "today": "2026-11-24"}
)  # fmt: skip
ROUTE = PlanRoute.model_validate(
    {"start": {"latitude": 30.27, "longitude": -97.74}, "begins": "2026-11-24T14:00:00Z",
     "stops": [{"id": "1", "position": {"latitude": 30.31, "longitude": -97.70}}]}
)  # fmt: skip
FLOW = """\
terms:
  do: buying.find_supplier
  for_each: event.lines
  with: {sku: "{{ item.sku }}"}
plan:
  do: bellwire.plan_reorder
  with:
    items: [{sku: TEA-100, available: 3, reorder_point: 10}]
    terms: "{{ terms }}"
    today: "{{ meta.time | date('yyyy-MM-dd', business.zone) }}"
draft:
  do: buying.create_purchase_order
  for_each: plan.orders
  with:
    supplier_id: "{{ item.supplier_id }}"
    lines: "{{ item.lines }}"
    expected: "{{ item.expected }}"
    reference: "Reorder {{ meta.business_key }}"
    note: "{{ item.guidance }}"
refund:
  do: bellwire.plan_refund
  with:
    lines: "{{ event.lines }}"
    shipping_lines: "{{ event.shipping_lines }}"
    taxes_included: "{{ event.taxes_included }}"
    returned: [{sku: TEA-100, quantity: 1, condition: sellable}]
    returned_before: "{{ event.refunds[0].lines }}"
    paid: "{{ event.paid_in_money }}"
    refunded: "{{ event.refunded }}"
    refund_shipping: if_all
    damaged: 50
    missing: none
restock:
  do: stock.adjust
  if: refund.restock
  with: {lines: "{{ refund.restock }}", reason: return}
money:
  do: till.refund
  if: refund.amount.amount > 0
  with: {payment_id: p1, amount: "{{ refund.amount }}", reason: Returned}
"""


def test_a_flow_goes_from_order_and_terms_through_the_plans_to_stock_till_and_supplier() -> None:
    connectors = CONNECTORS | {"buying": standin("purchasing"), "till": standin("payments")}
    assert check_flow(flow(FLOW), connectors) == []


def test_rules_that_are_none_are_found_when_the_flow_is_checked() -> None:
    connectors = CONNECTORS | {"buying": standin("purchasing"), "till": standin("payments")}
    wrong = FLOW.replace("refund_shipping: if_all", "refund_shipping: sometimes").replace(
        "damaged: 50", "damaged: half"
    )
    found = " ".join(map(str, check_flow(flow(wrong), connectors)))
    assert "'refund_shipping' can't be this" in found
    assert "'damaged' can't be this" in found


@pytest.mark.parametrize("environment", list(Environment))
async def test_a_connection_to_it_needs_neither_settings_nor_credentials_and_sends_nothing(
    environment: Environment,
) -> None:
    made = connection("bellwire", environment=environment)
    try:
        refund = await CONNECTOR.actions[str(PLAN_REFUND)](call(made), REFUND)
        reorder = await CONNECTOR.actions[str(PLAN_REORDER)](call(made), REORDER)
        route = await CONNECTOR.actions[str(PLAN_ROUTE)](call(made), ROUTE)
        again = await CONNECTOR.actions[str(PLAN_REFUND)](replace(call(made), again=True), REFUND)
    finally:
        await made.api.close()
    assert isinstance(refund, RefundPlan) and isinstance(reorder, ReorderPlan) and isinstance(route, RoutePlan)
    assert str(refund.amount) == "9.20 USD"
    assert again == refund
    assert RefundPlan.model_validate_json(refund.model_dump_json()) == refund
    assert ReorderPlan.model_validate_json(reorder.model_dump_json()) == reorder
    assert RoutePlan.model_validate_json(route.model_dump_json()) == route
    assert all(action.repeatable for action in CONNECTOR.actions.values())
