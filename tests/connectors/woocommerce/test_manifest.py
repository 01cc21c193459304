import pytest
from pydantic import ValidationError

from bellwire.connectors.woocommerce.manifest import MANIFEST, ShopSettings
from bellwire.errors import Refusal
from tests.connectors.woocommerce.deliveries import SECRET, delivery, order_body, shop
from tests.samples import NOW

VECTOR = b'{"id":727,"status":"processing","total":"29.35","date_modified_gmt":"2026-08-14T10:00:00"}'
SIGNATURE = "ufmpbTZcO0u6PAbKk8KrOZl99CaMvrZiu7oxOEqp3Mk="


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://shop.example/ ", "https://shop.example"),
        ("https://example.com/shop/", "https://example.com/shop"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost/shop", "http://localhost/shop"),
        ("http://[::1]:81", "http://[::1]:81"),
    ],
)
def test_the_shops_address_may_have_a_folder_and_a_slash_at_its_end(given: str, kept: str) -> None:
    assert ShopSettings(url=given).url == kept


@pytest.mark.parametrize("url", ["http://shop.example", "http://192.168.0.7", "http://127.0.0.1.shop.example"])
def test_http_is_refused_because_the_keys_could_be_read(url: str) -> None:
    with pytest.raises(ValidationError, match="has to begin with https: over http anyone on the way could read"):
        ShopSettings(url=url)


@pytest.mark.parametrize("url", ["shop.example", "", "ftp://shop.example", "https://", "https://me:pw@shop.example"])
def test_what_is_no_address_of_a_shop_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="has to be the shop's address"):
        ShopSettings(url=url)


@pytest.mark.proves("version")
def test_the_version_is_in_the_path_below_the_shops_folder() -> None:
    settings = ShopSettings(url="https://example.com/shop")
    assert MANIFEST.api_version in MANIFEST.root
    for base_url in MANIFEST.base_urls.values():
        assert base_url.format_map(settings.model_dump()) == "https://example.com/shop"


@pytest.mark.proves("signatures")
def test_a_signature_of_the_shop_is_known_and_any_change_is_seen() -> None:
    scheme = shop().webhook
    assert scheme is not None
    secrets = ["another", "woo-webhook-secret"]
    scheme.verify(delivery(VECTOR, x_wc_webhook_signature=SIGNATURE), secrets, NOW)
    with pytest.raises(Refusal, match="None of the secrets"):
        scheme.verify(delivery(VECTOR + b" ", x_wc_webhook_signature=SIGNATURE), secrets, NOW)
    with pytest.raises(Refusal, match="is missing"):
        scheme.verify(delivery(VECTOR), secrets, NOW)
    assert scheme.sign(VECTOR, "woo-webhook-secret", delivery_id="", now=NOW) == {"X-WC-Webhook-Signature": SIGNATURE}


def test_a_delivery_is_named_by_what_it_says_and_not_by_the_shops_own_id() -> None:
    scheme = shop().webhook
    assert scheme is not None
    first = scheme.delivery_id(delivery(order_body(), x_wc_webhook_delivery_id="a"))
    assert scheme.delivery_id(delivery(order_body(), x_wc_webhook_delivery_id="b")) == first
    others = {
        scheme.delivery_id(delivery(order_body(status="completed"), x_wc_webhook_delivery_id="a")),
        scheme.delivery_id(delivery(order_body(), "order.created", x_wc_webhook_delivery_id="a")),
        scheme.delivery_id(delivery(order_body(), x_wc_webhook_source="https://copy.example/")),
        scheme.delivery_id(delivery(b"not json")),
        scheme.delivery_id(delivery([])),
    }
    assert first not in others
    assert len(others) == 5


def test_the_unsigned_ping_of_a_new_webhook_gets_its_200_and_nothing_else_does() -> None:
    scheme = shop().webhook
    assert scheme is not None
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert scheme.handshake(delivery(b"webhook_id=12", **form)) is not None
    assert scheme.handshake(delivery(b"webhook_id=12", content_type="application/json")) is None
    assert scheme.handshake(delivery(b"webhook_id=12&x=1", **form)) is None
    assert scheme.handshake(delivery(order_body(), content_type="application/json")) is None


def test_the_practice_secret_has_letters_and_digits_only() -> None:
    assert SECRET.isalnum()
