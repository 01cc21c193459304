from bellwire.connectors.kit.person import Person
from bellwire.events import Address, Customer
from tests.samples import ADDRESS, order


def test_gaps_in_the_customers_record_are_filled_from_the_addresses() -> None:
    guest = order(customer=None, billing=Address(name="Jo Hill"), shipping=ADDRESS)
    assert Person.who_ordered(guest) == Person(
        name="Jo Hill", phone="+15125550123", billing=Address(name="Jo Hill"), shipping=ADDRESS
    )


def test_what_the_customers_record_says_comes_before_the_addresses() -> None:
    customer = Customer(name="Jo Hill", email="jo@example.com", phone="+1", company="Hill & Co")
    found = Person.who_ordered(order(customer=customer, billing=None, shipping=ADDRESS))
    assert found == Person("Jo Hill", "Hill & Co", "jo@example.com", "+1", billing=ADDRESS, shipping=ADDRESS)


def test_an_order_without_anybody_has_an_empty_person() -> None:
    assert Person.who_ordered(order(customer=None, billing=None, shipping=None)) == Person()


def test_a_customer_alone_has_no_addresses() -> None:
    customer = Customer(name="Jo Hill", email="jo@example.com", phone="+1", company="Hill & Co")
    assert Person.of(customer) == Person("Jo Hill", "Hill & Co", "jo@example.com", "+1")
