"""Stripe: payments, refunds, invoices and subscriptions, and what becomes of them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.stripe.actions import ACTIONS
from bellwire.connectors.stripe.errors import explain
from bellwire.connectors.stripe.manifest import MANIFEST
from bellwire.connectors.stripe.signing_in import sign_in
from bellwire.connectors.stripe.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
