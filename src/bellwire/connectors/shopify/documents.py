"""The GraphQL documents that are sent, valid against the Admin API.

One query may cost 1000 points at most, so that an order's lines come in pages, and its refunds by themselves:
https://shopify.dev/docs/api/usage/limits
"""

_SHOP = """
fragment Shop on MoneyBag { shopMoney { amount currencyCode } }
"""

_BOTH = """
fragment Both on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""

_LINE = """
fragment Line on LineItem {
  id title name sku quantity currentQuantity requiresShipping taxable isGiftCard
  originalUnitPriceSet { ...Shop }
  discountAllocations { allocatedAmountSet { ...Shop } discountApplication { index } }
  taxLines { title rate priceSet { ...Shop } }
  product { legacyResourceId }
  variant { legacyResourceId inventoryItem { measurement { weight { value unit } } } }
}
"""

_LINES = (
    _LINE
    + """
fragment Lines on LineItemConnection { pageInfo { hasNextPage endCursor } nodes { ...Line } }
"""
)

_REFUND_LINES = """
fragment RefundLines on RefundLineItemConnection {
  pageInfo { hasNextPage endCursor }
  nodes { quantity restockType subtotalSet { ...Shop } totalTaxSet { ...Shop } lineItem { id sku } }
}
"""

_RETURN_LINES = (
    _LINE
    + """
fragment ReturnLines on ReturnLineItemTypeConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    id quantity returnReasonNote customerNote
    returnReasonDefinition { handle }
    ... on ReturnLineItem { restockingFee { amountSet { ...Shop } } fulfillmentLineItem { lineItem { ...Line } } }
  }
}
"""
)

_CUSTOMER = """
fragment Buyer on Customer {
  legacyResourceId firstName lastName
  defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } defaultAddress { company }
}
"""

_PAYMENT = """
fragment Payment on OrderTransaction {
  kind status gateway authorizationCode paymentId processedAt amountSet { ...Shop }
}
"""

_ADDRESS = """
fragment Place on MailingAddress {
  name firstName lastName company address1 address2 city province provinceCode zip countryCodeV2 phone
}
"""

ORDER = (
    """
query Order($id: ID!) {
  order(id: $id) {
    legacyResourceId name createdAt processedAt updatedAt cancelledAt currencyCode test taxesIncluded
    displayFinancialStatus displayFulfillmentStatus email phone note tags sourceName paymentGatewayNames
    totalPriceSet { ...Both } currentTotalPriceSet { ...Both }
    totalTaxSet { ...Shop } currentTotalTaxSet { ...Shop } totalTipReceivedSet { ...Shop }
    taxLines { title rate priceSet { ...Shop } }
    customer { ...Buyer }
    billingAddress { ...Place }
    shippingAddress { ...Place }
    lineItems(first: 25) { ...Lines }
    shippingLines(first: 10, includeRemovals: true) {
      nodes {
        id title isRemoved
        originalPriceSet { ...Shop }
        discountAllocations { allocatedAmountSet { ...Shop } discountApplication { index } }
        taxLines { title rate priceSet { ...Shop } }
      }
    }
    discountApplications(first: 20) {
      nodes {
        index
        ... on DiscountCodeApplication { code }
        ... on ManualDiscountApplication { title }
        ... on AutomaticDiscountApplication { title }
        ... on ScriptDiscountApplication { title }
      }
    }
    transactions(first: 25) { ...Payment }
    fulfillments(first: 25) { legacyResourceId status createdAt trackingInfo(first: 1) { company number url } }
    refunds(first: 100) { id }
  }
}
"""
    + _SHOP
    + _BOTH
    + _LINES
    + _CUSTOMER
    + _PAYMENT
    + _ADDRESS
)

MORE_LINES = (
    """
query MoreLines($id: ID!, $after: String!) {
  order(id: $id) { updatedAt lineItems(first: 50, after: $after) { ...Lines } }
}
"""
    + _SHOP
    + _LINES
)

REFUND = (
    """
query Refund($id: ID!) {
  refund(id: $id) {
    legacyResourceId createdAt processedAt note
    transactions(first: 25) { nodes { kind status gateway amountSet { ...Shop } } }
    refundLineItems(first: 50) { ...RefundLines }
    refundShippingLines(first: 10) { nodes { subtotalAmountSet { ...Shop } taxAmountSet { ...Shop } } }
  }
}
"""
    + _SHOP
    + _REFUND_LINES
)

MORE_REFUND_LINES = (
    """
query MoreRefundLines($id: ID!, $after: String!) {
  refund(id: $id) { refundLineItems(first: 50, after: $after) { ...RefundLines } }
}
"""
    + _SHOP
    + _REFUND_LINES
)

ORDERS_SINCE = """
query OrdersSince($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { id }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ORDERS_WITH_RETURNS = """
query OrdersWithReturns($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { id returnStatus }
    pageInfo { hasNextPage endCursor }
  }
}
"""

RETURNS_OF = """
query ReturnsOf($id: ID!, $after: String) {
  order(id: $id) { returns(first: 50, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
}
"""

RETURN = (
    """
query Return($id: ID!) {
  return(id: $id) {
    id name status createdAt requestApprovedAt closedAt
    returnShippingFees { amountSet { ...Shop } }
    order {
      legacyResourceId name currencyCode taxesIncluded email phone
      customer { ...Buyer }
      billingAddress { ...Place }
      shippingAddress { ...Place }
      transactions(first: 25) { ...Payment }
    }
    returnLineItems(first: 25) { ...ReturnLines }
    reverseFulfillmentOrders(first: 25) { nodes { id } }
  }
}
"""
    + _SHOP
    + _RETURN_LINES
    + _CUSTOMER
    + _PAYMENT
    + _ADDRESS
)

MORE_RETURN_LINES = (
    """
query MoreReturnLines($id: ID!, $after: String!) {
  return(id: $id) { returnLineItems(first: 40, after: $after) { ...ReturnLines } }
}
"""
    + _SHOP
    + _RETURN_LINES
)

LOOKED_AT = """
query LookedAt($id: ID!, $after: String) {
  reverseFulfillmentOrder(id: $id) {
    lineItems(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        totalQuantity
        fulfillmentLineItem { lineItem { id } }
        dispositions { type quantity createdAt }
      }
    }
  }
}
"""

_VARIANTS = """
fragment Variants on ProductVariantConnection {
  pageInfo { hasNextPage endCursor }
  nodes { legacyResourceId sku title barcode inventoryQuantity inventoryItem { legacyResourceId tracked } }
}
"""

PRODUCTS_SINCE = (
    """
query ProductsSince($first: Int!, $after: String, $query: String!) {
  products(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { id legacyResourceId title status tags updatedAt variants(first: 15, sortKey: POSITION) { ...Variants } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _VARIANTS
)

MORE_VARIANTS = (
    """
query MoreVariants($id: ID!, $after: String!) {
  product(id: $id) { updatedAt variants(first: 100, after: $after, sortKey: POSITION) { ...Variants } }
}
"""
    + _VARIANTS
)

LEVELS_SINCE = """
query LevelsSince($location: String, $where: String, $after: String, $query: String!) {
  locations(first: 1, after: $location, query: $where) {
    pageInfo { hasNextPage endCursor }
    nodes {
      legacyResourceId
      inventoryLevels(first: 100, after: $after, query: $query) {
        pageInfo { hasNextPage endCursor }
        nodes { updatedAt item { legacyResourceId } quantities(names: ["available"]) { quantity } }
      }
    }
  }
}
"""

SUBSCRIPTIONS = """
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri apiVersion { handle } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri, format: JSON }) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

VARIANTS_BY_SKU = """
query VariantsBySku($query: String!, $after: String) {
  productVariants(first: 50, after: $after, query: $query) {
    nodes { sku product { id } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

TAGS_OF = """
query TagsOf($id: ID!) {
  product(id: $id) { legacyResourceId tags }
}
"""

ADD_TAGS = """
mutation AddTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { ... on Product { legacyResourceId tags } } userErrors { field message } }
}
"""

REMOVE_TAGS = """
mutation RemoveTags($id: ID!, $tags: [String!]!) {
  tagsRemove(id: $id, tags: $tags) { node { ... on Product { legacyResourceId tags } } userErrors { field message } }
}
"""

SHIPMENTS = """
query Shipments($id: ID!) {
  order(id: $id) {
    name
    fulfillments(first: 50) { legacyResourceId status trackingInfo(first: 1) { number } }
    fulfillmentOrders(first: 50) { nodes { id status assignedLocation { location { legacyResourceId } } } }
  }
}
"""

FULFIL = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { legacyResourceId } userErrors { field message } }
}
"""

WHO_AM_I = """
query WhoAmI {
  shop { name myshopifyDomain plan { displayName partnerDevelopment } }
  currentAppInstallation { accessScopes { handle } }
}
"""

PERSONAL = """
query Personal {
  customers(first: 1) { nodes { firstName lastName } }
}
"""

DOCUMENTS = (
    ORDER,
    MORE_LINES,
    REFUND,
    MORE_REFUND_LINES,
    ORDERS_SINCE,
    ORDERS_WITH_RETURNS,
    RETURNS_OF,
    RETURN,
    MORE_RETURN_LINES,
    LOOKED_AT,
    PRODUCTS_SINCE,
    MORE_VARIANTS,
    LEVELS_SINCE,
    SUBSCRIPTIONS,
    SUBSCRIBE,
    UNSUBSCRIBE,
    VARIANTS_BY_SKU,
    TAGS_OF,
    ADD_TAGS,
    REMOVE_TAGS,
    SHIPMENTS,
    FULFIL,
    WHO_AM_I,
    PERSONAL,
)
