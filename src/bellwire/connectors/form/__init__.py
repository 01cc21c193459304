"""Enquiries, bookings and returns from forms of the owner's own."""

from bellwire.connectors.form.manifest import MANIFEST
from bellwire.connectors.form.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, triggers=TRIGGERS)
