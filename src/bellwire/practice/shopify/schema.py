"""The part of the Admin GraphQL schema that is practised with, and its lists in pages."""

import base64
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLSchema, build_schema

Node = dict[str, Any]
T = TypeVar("T")

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
enum OrderDisplayFulfillmentStatus {
  FULFILLED IN_PROGRESS ON_HOLD OPEN PARTIALLY_FULFILLED PENDING_FULFILLMENT REQUEST_DECLINED RESTOCKED SCHEDULED
  UNFULFILLED
}
enum OrderTransactionKind { AUTHORIZATION CAPTURE REFUND SALE VOID }
enum OrderTransactionStatus { ERROR FAILURE PENDING SUCCESS }
enum FulfillmentStatus { CANCELLED ERROR FAILURE OPEN PENDING SUCCESS }
enum FulfillmentOrderStatus { CANCELLED CLOSED INCOMPLETE IN_PROGRESS ON_HOLD OPEN SCHEDULED }
enum RefundLineItemRestockType { CANCEL LEGACY_RESTOCK NO_RESTOCK RETURN }
enum OrderReturnStatus { INSPECTION_COMPLETE IN_PROGRESS NO_RETURN RETURNED RETURN_FAILED RETURN_REQUESTED }
enum ReturnStatus { CANCELED CLOSED DECLINED OPEN REQUESTED }
enum ReverseFulfillmentOrderDispositionType { MISSING NOT_RESTOCKED PROCESSING_REQUIRED RESTOCKED }
enum ProductSortKeys { CREATED_AT ID TITLE UPDATED_AT }
enum ProductStatus { ACTIVE ARCHIVED DRAFT UNLISTED }
enum ProductVariantSortKeys { ID POSITION SKU TITLE }
enum WebhookSubscriptionFormat { JSON XML }
enum WebhookSubscriptionTopic {
  APP_UNINSTALLED CUSTOMERS_CREATE CUSTOMERS_DELETE CUSTOMERS_DISABLE CUSTOMERS_ENABLE CUSTOMERS_UPDATE
  INVENTORY_LEVELS_CONNECT INVENTORY_LEVELS_DISCONNECT INVENTORY_LEVELS_UPDATE ORDERS_CANCELLED ORDERS_CREATE
  ORDERS_DELETE ORDERS_FULFILLED ORDERS_PAID ORDERS_PARTIALLY_FULFILLED ORDERS_UPDATED ORDER_TRANSACTIONS_CREATE
  PRODUCTS_CREATE PRODUCTS_DELETE PRODUCTS_UPDATE REFUNDS_CREATE RETURNS_APPROVE RETURNS_CANCEL RETURNS_CLOSE
  RETURNS_DECLINE RETURNS_PROCESS RETURNS_REOPEN RETURNS_REQUEST RETURNS_UPDATE REVERSE_FULFILLMENT_ORDERS_DISPOSE
}
enum WeightUnit { GRAMS KILOGRAMS OUNCES POUNDS }
interface Node { id: ID! }
interface DiscountApplication { index: Int! }
interface ReturnLineItemType {
  id: ID! quantity: Int! returnReasonDefinition: ReturnReasonDefinition returnReasonNote: String! customerNote: String
}
type QueryRoot {
  shop: Shop!
  currentAppInstallation: AppInstallation!
  order(id: ID!): Order
  orders(first: Int, after: String, query: String, sortKey: OrderSortKeys, reverse: Boolean): OrderConnection!
  refund(id: ID!): Refund
  return(id: ID!): Return
  reverseFulfillmentOrder(id: ID!): ReverseFulfillmentOrder
  product(id: ID!): Product
  products(
    first: Int, after: String, query: String, sortKey: ProductSortKeys, reverse: Boolean
  ): ProductConnection!
  productVariants(first: Int, after: String, query: String): ProductVariantConnection!
  locations(first: Int, after: String, query: String): LocationConnection!
  customers(first: Int, after: String, query: String): CustomerConnection!
  webhookSubscriptions(
    first: Int, after: String, topics: [WebhookSubscriptionTopic!], uri: String
  ): WebhookSubscriptionConnection!
}
type Mutation {
  tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload
  tagsRemove(id: ID!, tags: [String!]!): TagsRemovePayload
  fulfillmentCreate(fulfillment: FulfillmentInput!, message: String): FulfillmentCreatePayload
  webhookSubscriptionCreate(
    topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!
  ): WebhookSubscriptionCreatePayload
  webhookSubscriptionDelete(id: ID!): WebhookSubscriptionDeletePayload
}
input WebhookSubscriptionInput { uri: String format: WebhookSubscriptionFormat }
type WebhookSubscriptionCreatePayload { webhookSubscription: WebhookSubscription userErrors: [UserError!]! }
type WebhookSubscriptionDeletePayload { deletedWebhookSubscriptionId: ID userErrors: [UserError!]! }
type WebhookSubscriptionConnection { nodes: [WebhookSubscription!]! pageInfo: PageInfo! }
type WebhookSubscription implements Node {
  id: ID! topic: WebhookSubscriptionTopic! uri: String! apiVersion: ApiVersion!
}
type ApiVersion { handle: String! displayName: String! supported: Boolean! }
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
  displayFinancialStatus: OrderDisplayFinancialStatus displayFulfillmentStatus: OrderDisplayFulfillmentStatus!
  email: String phone: String note: String tags: [String!]!
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
  returnStatus: OrderReturnStatus!
  returns(first: Int, after: String, query: String): ReturnConnection!
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
  authorizationCode: String paymentId: String processedAt: DateTime
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
type ReturnConnection { nodes: [Return!]! pageInfo: PageInfo! }
type Return implements Node {
  id: ID! name: String! status: ReturnStatus! createdAt: DateTime! requestApprovedAt: DateTime closedAt: DateTime
  order: Order! returnShippingFees: [ReturnShippingFee!]!
  returnLineItems(first: Int, after: String): ReturnLineItemTypeConnection!
  reverseFulfillmentOrders(first: Int, after: String): ReverseFulfillmentOrderConnection!
}
type ReturnShippingFee { amountSet: MoneyBag! }
type RestockingFee { amountSet: MoneyBag! }
type ReturnReasonDefinition { handle: String! name: String! }
type ReturnLineItemTypeConnection { nodes: [ReturnLineItemType!]! pageInfo: PageInfo! }
type ReturnLineItem implements ReturnLineItemType {
  id: ID! quantity: Int! returnReasonDefinition: ReturnReasonDefinition returnReasonNote: String! customerNote: String
  restockingFee: RestockingFee fulfillmentLineItem: FulfillmentLineItem!
}
type UnverifiedReturnLineItem implements ReturnLineItemType {
  id: ID! quantity: Int! returnReasonDefinition: ReturnReasonDefinition returnReasonNote: String! customerNote: String
}
type FulfillmentLineItem { lineItem: LineItem! }
type ReverseFulfillmentOrderConnection { nodes: [ReverseFulfillmentOrder!]! pageInfo: PageInfo! }
type ReverseFulfillmentOrder implements Node {
  id: ID! lineItems(first: Int, after: String): ReverseFulfillmentOrderLineItemConnection!
}
type ReverseFulfillmentOrderLineItemConnection { nodes: [ReverseFulfillmentOrderLineItem!]! pageInfo: PageInfo! }
type ReverseFulfillmentOrderLineItem {
  totalQuantity: Int! fulfillmentLineItem: FulfillmentLineItem dispositions: [ReverseFulfillmentOrderDisposition!]!
}
type ReverseFulfillmentOrderDisposition {
  type: ReverseFulfillmentOrderDispositionType! quantity: Int! createdAt: DateTime!
}
type Fulfillment implements Node {
  id: ID! legacyResourceId: UnsignedInt64! status: FulfillmentStatus! createdAt: DateTime!
  trackingInfo(first: Int): [FulfillmentTrackingInfo!]!
}
type FulfillmentTrackingInfo { company: String number: String url: URL }
type FulfillmentOrderConnection { nodes: [FulfillmentOrder!]! pageInfo: PageInfo! }
type FulfillmentOrder implements Node {
  id: ID! status: FulfillmentOrderStatus! assignedLocation: FulfillmentOrderAssignedLocation!
}
type FulfillmentOrderAssignedLocation { location: Location name: String! }
type LocationConnection { nodes: [Location!]! pageInfo: PageInfo! }
type Location implements Node {
  id: ID! legacyResourceId: UnsignedInt64! name: String!
  inventoryLevels(first: Int, after: String, query: String): InventoryLevelConnection!
}
type InventoryLevelConnection { nodes: [InventoryLevel!]! pageInfo: PageInfo! }
type InventoryLevel implements Node {
  id: ID! updatedAt: DateTime! item: InventoryItem! quantities(names: [String!]!): [InventoryQuantity!]!
}
type InventoryQuantity { name: String! quantity: Int! }
type CustomerConnection { nodes: [Customer!]! pageInfo: PageInfo! }
type ProductVariantConnection { nodes: [ProductVariant!]! pageInfo: PageInfo! }
type ProductVariant implements Node {
  id: ID! legacyResourceId: UnsignedInt64! sku: String title: String! barcode: String inventoryQuantity: Int
  product: Product! inventoryItem: InventoryItem!
}
type ProductConnection { nodes: [Product!]! pageInfo: PageInfo! }
type Product implements Node {
  id: ID! legacyResourceId: UnsignedInt64! title: String! tags: [String!]! status: ProductStatus! updatedAt: DateTime!
  variants(first: Int, after: String, sortKey: ProductVariantSortKeys): ProductVariantConnection!
}
type InventoryItem implements Node {
  id: ID! legacyResourceId: UnsignedInt64! sku: String tracked: Boolean! measurement: InventoryItemMeasurement!
}
type InventoryItemMeasurement { weight: Weight }
type Weight { unit: WeightUnit! value: Float! }
""")


def connection(entries: Iterable[tuple[str, Callable[[], Node]]]) -> Callable[..., Node]:
    """The resolver of a list in pages. Entries are sorted by their keys, which cursors carry."""
    every = list(entries)

    def page(_info: Any, first: int = 50, after: str | None = None, **_: Any) -> Node:
        behind = _behind(after) if after else ""
        rest = [(key, make) for key, make in every if key > behind]
        shown = rest[: min(first, 250)]
        end = base64.b64encode(shown[-1][0].encode()).decode() if shown else None
        info = {"hasNextPage": len(rest) > len(shown), "endCursor": end}
        return {"nodes": [make() for _, make in shown], "pageInfo": info}

    return page


def _behind(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        raise GraphQLError("Invalid cursor for current pagination sort.") from None


def numbered(bodies: Iterable[T], node: Callable[[T], Node]) -> Callable[..., Node]:
    """A connection of what stands in a body, in its order."""
    return connection((f"{number:06}", lambda body=body: node(body)) for number, body in enumerate(bodies))  # type: ignore[misc]


def gid(kind: str, number: object) -> str:
    return f"gid://shopify/{kind}/{number}"
