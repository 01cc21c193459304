"""The part of the Admin GraphQL schema that is practised with, and the REST shape as its nodes."""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import GraphQLSchema, build_schema

Node = dict[str, Any]

SCHEMA: GraphQLSchema = build_schema("""
schema { query: QueryRoot mutation: Mutation }
scalar DateTime
scalar Decimal
scalar UnsignedInt64
scalar URL
scalar CurrencyCode
scalar CountryCode
enum OrderSortKeys { CREATED_AT ID UPDATED_AT }
enum OrderDisplayFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED }
enum OrderTransactionKind { AUTHORIZATION CAPTURE REFUND SALE VOID }
enum OrderTransactionStatus { ERROR FAILURE PENDING SUCCESS }
enum FulfillmentStatus { CANCELLED ERROR FAILURE OPEN PENDING SUCCESS }
enum FulfillmentOrderStatus { CANCELLED CLOSED INCOMPLETE IN_PROGRESS ON_HOLD OPEN SCHEDULED }
enum RefundLineItemRestockType { CANCEL LEGACY_RESTOCK NO_RESTOCK RETURN }
enum WeightUnit { GRAMS KILOGRAMS OUNCES POUNDS }
interface Node { id: ID! }
interface DiscountApplication { index: Int! }
type QueryRoot {
  shop: Shop!
  currentAppInstallation: AppInstallation!
  order(id: ID!): Order
  orders(first: Int, after: String, query: String, sortKey: OrderSortKeys, reverse: Boolean): OrderConnection!
  refund(id: ID!): Refund
  productVariants(first: Int, after: String, query: String): ProductVariantConnection!
}
type Mutation {
  tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload
  tagsRemove(id: ID!, tags: [String!]!): TagsRemovePayload
  fulfillmentCreate(fulfillment: FulfillmentInput!, message: String): FulfillmentCreatePayload
}
input FulfillmentInput {
  lineItemsByFulfillmentOrder: [FulfillmentOrderLineItemsInput!]!
  notifyCustomer: Boolean
  trackingInfo: FulfillmentTrackingInput
}
input FulfillmentOrderLineItemsInput { fulfillmentOrderId: ID! }
input FulfillmentTrackingInput { company: String number: String url: URL }
type UserError { field: [String!] message: String! }
type TagsAddPayload { node: Node userErrors: [UserError!]! }
type TagsRemovePayload { node: Node userErrors: [UserError!]! }
type FulfillmentCreatePayload { fulfillment: Fulfillment userErrors: [UserError!]! }
type Shop { name: String! myshopifyDomain: String! currencyCode: CurrencyCode! plan: ShopPlan! }
type ShopPlan { displayName: String! partnerDevelopment: Boolean! }
type AppInstallation { accessScopes: [AccessScope!]! }
type AccessScope { handle: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
type Order implements Node {
  id: ID! legacyResourceId: UnsignedInt64! name: String! createdAt: DateTime! processedAt: DateTime!
  updatedAt: DateTime! cancelledAt: DateTime currencyCode: CurrencyCode! test: Boolean! taxesIncluded: Boolean!
  displayFinancialStatus: OrderDisplayFinancialStatus email: String phone: String note: String tags: [String!]!
  sourceName: String paymentGatewayNames: [String!]! totalPriceSet: MoneyBag! currentTotalPriceSet: MoneyBag!
  totalTaxSet: MoneyBag currentTotalTaxSet: MoneyBag! totalTipReceivedSet: MoneyBag! taxLines: [TaxLine!]!
  customer: Customer billingAddress: MailingAddress shippingAddress: MailingAddress
  lineItems(first: Int, after: String): LineItemConnection!
  shippingLines(first: Int, after: String, includeRemovals: Boolean): ShippingLineConnection!
  discountApplications(first: Int, after: String): DiscountApplicationConnection!
  transactions(first: Int): [OrderTransaction!]!
  fulfillments(first: Int): [Fulfillment!]!
  fulfillmentOrders(first: Int, after: String): FulfillmentOrderConnection!
  refunds(first: Int): [Refund!]!
}
type Customer implements Node {
  id: ID! legacyResourceId: UnsignedInt64! firstName: String lastName: String
  defaultEmailAddress: CustomerEmailAddress defaultPhoneNumber: CustomerPhoneNumber defaultAddress: MailingAddress
}
type CustomerEmailAddress { emailAddress: String! }
type CustomerPhoneNumber { phoneNumber: String! }
type MailingAddress {
  name: String firstName: String lastName: String company: String address1: String address2: String city: String
  province: String provinceCode: String zip: String countryCodeV2: CountryCode phone: String
}
type TaxLine { title: String! rate: Float priceSet: MoneyBag! }
type LineItemConnection { nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItem implements Node {
  id: ID! title: String! name: String! sku: String quantity: Int! currentQuantity: Int! requiresShipping: Boolean!
  taxable: Boolean! isGiftCard: Boolean! originalUnitPriceSet: MoneyBag! discountAllocations: [DiscountAllocation!]!
  taxLines: [TaxLine!]! product: Product variant: ProductVariant
}
type DiscountAllocation { allocatedAmountSet: MoneyBag! discountApplication: DiscountApplication! }
type DiscountApplicationConnection { nodes: [DiscountApplication!]! pageInfo: PageInfo! }
type DiscountCodeApplication implements DiscountApplication { index: Int! code: String! }
type ManualDiscountApplication implements DiscountApplication { index: Int! title: String! }
type AutomaticDiscountApplication implements DiscountApplication { index: Int! title: String! }
type ScriptDiscountApplication implements DiscountApplication { index: Int! title: String! }
type ShippingLineConnection { nodes: [ShippingLine!]! pageInfo: PageInfo! }
type ShippingLine {
  id: ID title: String! isRemoved: Boolean!
  originalPriceSet: MoneyBag! discountAllocations: [DiscountAllocation!]! taxLines: [TaxLine!]!
}
type OrderTransaction implements Node {
  id: ID! kind: OrderTransactionKind! status: OrderTransactionStatus! gateway: String amountSet: MoneyBag!
}
type OrderTransactionConnection { nodes: [OrderTransaction!]! pageInfo: PageInfo! }
type Refund implements Node {
  id: ID! legacyResourceId: UnsignedInt64! createdAt: DateTime processedAt: DateTime! note: String
  transactions(first: Int, after: String): OrderTransactionConnection!
  refundLineItems(first: Int, after: String): RefundLineItemConnection!
  refundShippingLines(first: Int, after: String): RefundShippingLineConnection!
}
type RefundShippingLineConnection { nodes: [RefundShippingLine!]! pageInfo: PageInfo! }
type RefundShippingLine implements Node { id: ID! subtotalAmountSet: MoneyBag! taxAmountSet: MoneyBag! }
type RefundLineItemConnection { nodes: [RefundLineItem!]! pageInfo: PageInfo! }
type RefundLineItem {
  quantity: Int! restockType: RefundLineItemRestockType! subtotalSet: MoneyBag! totalTaxSet: MoneyBag!
  lineItem: LineItem!
}
type Fulfillment implements Node {
  id: ID! legacyResourceId: UnsignedInt64! status: FulfillmentStatus!
  trackingInfo(first: Int): [FulfillmentTrackingInfo!]!
}
type FulfillmentTrackingInfo { company: String number: String url: URL }
type FulfillmentOrderConnection { nodes: [FulfillmentOrder!]! pageInfo: PageInfo! }
type FulfillmentOrder implements Node {
  id: ID! status: FulfillmentOrderStatus! assignedLocation: FulfillmentOrderAssignedLocation!
}
type FulfillmentOrderAssignedLocation { location: Location name: String! }
type Location implements Node { id: ID! legacyResourceId: UnsignedInt64! name: String! }
type ProductVariantConnection { nodes: [ProductVariant!]! pageInfo: PageInfo! }
type ProductVariant implements Node {
  id: ID! legacyResourceId: UnsignedInt64! sku: String product: Product! inventoryItem: InventoryItem!
}
type Product implements Node { id: ID! legacyResourceId: UnsignedInt64! title: String! tags: [String!]! }
type InventoryItem implements Node { id: ID! sku: String measurement: InventoryItemMeasurement! }
type InventoryItemMeasurement { weight: Weight }
type Weight { unit: WeightUnit! value: Float! }
""")


def connection(entries: Iterable[tuple[str, Callable[[], Node]]]) -> Callable[..., Node]:
    """The resolver of a list in pages. Entries are sorted by their keys, which cursors carry."""
    every = list(entries)

    def page(_info: Any, first: int = 50, after: str | None = None, **_: Any) -> Node:
        behind = base64.b64decode(after).decode() if after else ""
        rest = [(key, make) for key, make in every if key > behind]
        shown = rest[: min(first, 250)]
        end = base64.b64encode(shown[-1][0].encode()).decode() if shown else None
        info = {"hasNextPage": len(rest) > len(shown), "endCursor": end}
        return {"nodes": [make() for _, make in shown], "pageInfo": info}

    return page


def numbered(bodies: Iterable[Node], node: Callable[[Node], Node]) -> Callable[..., Node]:
    """A connection of what stands in a body, in its order."""
    return connection((f"{number:06}", lambda body=body: node(body)) for number, body in enumerate(bodies))  # type: ignore[misc]


def gid(kind: str, number: object) -> str:
    return f"gid://shopify/{kind}/{number}"


def order_node(body: Node, fulfilment_orders: list[Node], payments: list[Node]) -> Node:
    applications = [_application(index, entry) for index, entry in enumerate(body["discount_applications"])]
    return {
        "__typename": "Order",
        "id": gid("Order", body["id"]),
        "legacyResourceId": str(body["id"]),
        "name": body["name"],
        "createdAt": body["created_at"],
        "processedAt": body["processed_at"],
        "updatedAt": body["updated_at"],
        "cancelledAt": body["cancelled_at"],
        "currencyCode": body["currency"],
        "test": body["test"],
        "taxesIncluded": body["taxes_included"],
        "displayFinancialStatus": body["financial_status"].upper(),
        "email": body["email"],
        "phone": body["phone"],
        "note": body["note"],
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "sourceName": body["source_name"],
        "paymentGatewayNames": body["payment_gateway_names"],
        "totalPriceSet": _bag(body["total_price_set"]),
        "currentTotalPriceSet": _bag(body["current_total_price_set"]),
        "totalTaxSet": _bag(body["total_tax_set"]),
        "currentTotalTaxSet": _bag(body["current_total_tax_set"]),
        "totalTipReceivedSet": _plain(body["total_tip_received"], body["currency"]),
        "taxLines": _tax_lines(body),
        "customer": _customer(body["customer"]),
        "billingAddress": _address(body["billing_address"]),
        "shippingAddress": _address(body["shipping_address"]),
        "lineItems": numbered(body["line_items"], lambda line: _line(line, applications)),
        "shippingLines": lambda info, includeRemovals=False, **page: numbered(  # noqa: N803 - the argument's name
            [line for line in body["shipping_lines"] if includeRemovals or not line["is_removed"]],
            lambda line: _shipping_line(line, applications),
        )(info, **page),
        "discountApplications": numbered(applications, lambda application: application),
        "transactions": lambda _info, first=50: [_transaction(t, body["currency"]) for t in payments][:first],
        "fulfillments": lambda _info, first=50: [fulfilment_node(entry) for entry in body["fulfillments"]][:first],
        "fulfillmentOrders": numbered(fulfilment_orders, _fulfilment_order),
        "refunds": lambda _info, first=50: [refund_node(entry, body) for entry in body["refunds"]][:first],
    }


def refund_node(body: Node, order: Node) -> Node:
    applications = [_application(index, entry) for index, entry in enumerate(order["discount_applications"])]
    return {
        "id": gid("Refund", body["id"]),
        "legacyResourceId": str(body["id"]),
        "createdAt": body["created_at"],
        "processedAt": body["processed_at"],
        "note": body["note"],
        "transactions": numbered(body["transactions"], lambda entry: _transaction(entry, order["currency"])),
        "refundLineItems": numbered(body["refund_line_items"], lambda entry: _refund_line(entry, applications)),
        "refundShippingLines": numbered(body["refund_shipping_lines"], _refund_shipping_line),
    }


def fulfilment_node(body: Node) -> Node:
    tracking = {name: body[f"tracking_{name}"] for name in ("company", "number", "url")}
    return {
        "id": gid("Fulfillment", body["id"]),
        "legacyResourceId": str(body["id"]),
        "status": body["status"].upper(),
        "trackingInfo": lambda _info, first=10: [tracking][:first] if any(tracking.values()) else [],
    }


def product_node(body: Node) -> Node:
    return {
        "__typename": "Product",
        "id": gid("Product", body["id"]),
        "legacyResourceId": str(body["id"]),
        "title": body["title"],
        "tags": body["tags"],
    }


def variant_node(body: Node) -> Node:
    variant = body["variants"][0]
    return {
        "id": gid("ProductVariant", variant["id"]),
        "legacyResourceId": str(variant["id"]),
        "sku": variant["sku"],
        "product": product_node(body),
    }


def _fulfilment_order(body: Node) -> Node:
    location = {"id": gid("Location", body["location_id"]), "legacyResourceId": body["location_id"], "name": "Shop"}
    return {
        "id": gid("FulfillmentOrder", body["id"]),
        "status": body["status"].upper(),
        "assignedLocation": {"location": location, "name": "Shop"},
    }


def _line(body: Node, applications: list[Node]) -> Node:
    product = body["product_id"]
    weight = {"value": float(body["grams"]), "unit": "GRAMS"}
    variant = {"legacyResourceId": str(body["variant_id"]), "inventoryItem": {"measurement": {"weight": weight}}}
    return {
        "id": gid("LineItem", body["id"]),
        "title": body["title"],
        "name": body["name"],
        "sku": body["sku"],
        "quantity": body["quantity"],
        "currentQuantity": body["current_quantity"],
        "requiresShipping": body["requires_shipping"],
        "taxable": body["taxable"],
        "isGiftCard": body["gift_card"],
        "originalUnitPriceSet": _bag(body["price_set"]),
        "discountAllocations": _allocations(body, applications),
        "taxLines": _tax_lines(body),
        "product": {"legacyResourceId": str(product)} if product else None,
        "variant": variant if product else None,
    }


def _shipping_line(body: Node, applications: list[Node]) -> Node:
    return {
        "id": gid("ShippingLine", body["id"]),
        "title": body["title"],
        "isRemoved": body["is_removed"],
        "originalPriceSet": _bag(body["price_set"]),
        "discountAllocations": _allocations(body, applications),
        "taxLines": _tax_lines(body),
    }


def _refund_line(body: Node, applications: list[Node]) -> Node:
    return {
        "quantity": body["quantity"],
        "restockType": body["restock_type"].upper(),
        "subtotalSet": _bag(body["subtotal_set"]),
        "totalTaxSet": _bag(body["total_tax_set"]),
        "lineItem": _line(body["line_item"], applications),
    }


def _refund_shipping_line(body: Node) -> Node:
    return {
        "id": gid("RefundShippingLine", body["id"]),
        "subtotalAmountSet": _bag(body["subtotal_amount_set"]),
        "taxAmountSet": _bag(body["tax_amount_set"]),
    }


def _transaction(body: Node, currency: str) -> Node:
    return {
        "id": gid("OrderTransaction", body["id"]),
        "kind": body["kind"].upper(),
        "status": body["status"].upper(),
        "gateway": body["gateway"],
        "amountSet": _plain(body["amount"], currency),
    }


def _application(index: int, body: Node) -> Node:
    if body["type"] == "discount_code":
        return {"__typename": "DiscountCodeApplication", "index": index, "code": body["code"]}
    return {"__typename": "ManualDiscountApplication", "index": index, "title": body["title"]}


def _allocations(body: Node, applications: list[Node]) -> list[Node]:
    return [
        {
            "allocatedAmountSet": _bag(entry["amount_set"]),
            "discountApplication": applications[entry["discount_application_index"]],
        }
        for entry in body["discount_allocations"]
    ]


def _tax_lines(body: Node) -> list[Node]:
    return [
        {"title": entry["title"], "rate": entry["rate"], "priceSet": _bag(entry["price_set"])}
        for entry in body["tax_lines"]
    ]


def _customer(body: Node | None) -> Node | None:
    if body is None:
        return None
    return {
        "id": gid("Customer", body["id"]),
        "legacyResourceId": str(body["id"]),
        "firstName": body["first_name"],
        "lastName": body["last_name"],
        "defaultEmailAddress": {"emailAddress": body["email"]} if body["email"] else None,
        "defaultPhoneNumber": {"phoneNumber": body["phone"]} if body["phone"] else None,
        "defaultAddress": body["default_address"],
    }


def _address(body: Node | None) -> Node | None:
    if body is None:
        return None
    same = ("name", "company", "address1", "address2", "city", "province", "zip", "phone")
    return {field: body[field] for field in same} | {
        "firstName": body["first_name"],
        "lastName": body["last_name"],
        "provinceCode": body["province_code"],
        "countryCodeV2": body["country_code"],
    }


def _bag(both: Mapping[str, Any]) -> Node:
    return {
        name: {"amount": both[field]["amount"], "currencyCode": both[field]["currency_code"]}
        for name, field in (("shopMoney", "shop_money"), ("presentmentMoney", "presentment_money"))
    }


def _plain(amount: str, currency: str) -> Node:
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}
