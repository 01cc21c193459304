"""Which of Stripe's events are of use."""

INTENT_TOPICS = ("payment_intent.succeeded", "payment_intent.payment_failed")
TOPICS = (
    *INTENT_TOPICS,
    "invoice.paid",
    "invoice.payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.deleted",
)
