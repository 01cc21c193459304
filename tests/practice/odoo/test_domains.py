"""Odoo's search domains."""

import pytest

from bellwire.practice.odoo import OdooSimulator
from bellwire.practice.odoo.domains import matches


def test_a_domain_that_is_none_is_an_error() -> None:
    for domain in (["|", ["id", "=", 1]], [["id", "~", 1]], [1]):
        with pytest.raises(ValueError, match="nvalid"):
            matches({"id": 1}, domain, lambda record, name: record[name])
    assert matches({"id": 1}, ["!", ["id", "=", 2]], lambda record, name: record[name])


def test_its_state_is_json() -> None:
    assert set(OdooSimulator().state()) == {
        "purchase.order",
        "purchase.order.line",
        "stock.picking",
        "stock.move.line",
    }
