"""Which company it is, and whether it is the one in which the business really works."""

from collections.abc import Iterator

from bellwire.connectors.kit import Account, Call
from bellwire.connectors.sap_business_one.api import Record, listed
from bellwire.connectors.sap_business_one.manifest import settings_of
from bellwire.events import Environment

_MADE_FOR = "10"


async def sign_in(call: Call) -> Account:
    """Company, release and warehouses. Which authorisations a user has, only administrators are told."""
    settings = settings_of(call.connection)
    info = (await call.api.request("POST", "CompanyService_GetCompanyInfo", writes=False)).json()
    release = str(info["Version"])
    if not release.startswith(_MADE_FOR):
        call.api.notice("Version", f"Release {release} answers; this was made for {_MADE_FOR}.0.")
    warehouses = await listed(call, "Warehouses", select="WarehouseCode,WarehouseName", order="WarehouseCode")
    real = settings.company_db == settings.production_db
    return Account(
        name=info["CompanyName"],
        detail=f"company database {settings.company_db}, release {release}",
        warnings=tuple(_unknown(settings.warehouse, warehouses)),
        environment=Environment.PRODUCTION if real else Environment.SANDBOX,
    )


def _unknown(wanted: str, warehouses: list[Record]) -> Iterator[str]:
    if all(each["WarehouseCode"] != wanted for each in warehouses):
        names = ", ".join(f"{each['WarehouseCode']} ({each['WarehouseName']})" for each in warehouses)
        yield f"The company has no warehouse '{wanted}'. It has: {names or 'none'}."
