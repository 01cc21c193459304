"""What the bundled flows ask for, as toys: calendar, text messages, work orders and bookings; suppliers and a shop."""

from collections.abc import Mapping

from bellwire.capabilities import calendar, chat, field_service, purchasing, sms, storefront
from bellwire.connectors.kit import Action, Call, Connection, Normalised, Triggers, Unkeyed, Upsert, event_of
from bellwire.errors import Refused
from bellwire.events import Booking, Delivery
from tests.engine.vendor import Vendor


class Office(Vendor):
    """Each of its connections does all of it. Appointments are known by their references, work orders too."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.appointments: dict[str, calendar.PutAppointment] = {}
        self.messages: list[sms.SendSms] = []
        self.jobs: dict[str, field_service.OpenJob] = {}
        self.notes: list[field_service.AddJobNote] = []
        self.clocks: list[field_service.StartTimesheet] = []
        self.visits: tuple[field_service.PlannedVisit, ...] = ()
        self.asked: list[field_service.ListVisits] = []
        self.posts: list[str] = []

    def actions(self) -> list[Action]:
        return [
            Action(calendar.PUT_APPOINTMENT, Upsert("the reference"), self.put_appointment),
            Action(calendar.CANCEL_APPOINTMENT, Upsert("the reference"), self.cancel_appointment),
            Action(sms.SEND_SMS, Unkeyed("a toy"), self.send_sms),
            Action(field_service.FIND_OR_CREATE_CLIENT, Upsert("the address"), self.find_or_create_client),
            Action(field_service.OPEN_JOB, Upsert("the reference"), self.open_job),
            Action(field_service.FIND_JOB, Unkeyed("it only reads"), self.find_job),
            Action(field_service.START_TIMESHEET, Unkeyed("a toy"), self.start_timesheet),
            Action(field_service.ADD_JOB_NOTE, Unkeyed("a toy"), self.add_job_note),
            Action(field_service.LIST_VISITS, Unkeyed("it only reads"), self.list_visits),
            Action(chat.POST_MESSAGE, Unkeyed("a toy"), self.post),
        ]

    def triggers(self) -> Triggers:
        return Triggers(("booking.created", "booking.changed", "booking.cancelled"), _booked)

    async def put_appointment(self, call: Call, given: calendar.PutAppointment) -> calendar.Appointment:
        await self._do("put_appointment", call, given)
        self.appointments[given.reference] = given
        return calendar.Appointment(id=given.reference, start=given.start, end=given.end)

    async def cancel_appointment(self, call: Call, given: calendar.CancelAppointment) -> calendar.CancelledAppointment:
        await self._do("cancel_appointment", call, given)
        gone = self.appointments.pop(given.reference, None)
        return calendar.CancelledAppointment(id=gone.reference if gone else "")

    async def send_sms(self, call: Call, given: sms.SendSms) -> sms.Sms:
        await self._do("send_sms", call, given)
        self.messages.append(given)
        return sms.Sms(id=f"s{len(self.messages)}", to=given.to)

    async def find_or_create_client(
        self, call: Call, given: field_service.FindOrCreateClient
    ) -> field_service.FieldClient:
        await self._do("find_or_create_client", call, given)
        return field_service.FieldClient(id="c1", property_id="p1", name=given.customer.name, created=False)

    async def open_job(self, call: Call, given: field_service.OpenJob) -> field_service.OpenedJob:
        await self._do("open_job", call, given)
        self.jobs[given.reference] = given
        return field_service.OpenedJob(id=f"job of {given.reference}", number="7")

    async def find_job(self, call: Call, given: field_service.FindJob) -> field_service.FoundJob:
        await self._do("find_job", call, given)
        if given.reference not in self.jobs:
            return field_service.FoundJob()
        return field_service.FoundJob(id=f"job of {given.reference}", number="7")

    async def start_timesheet(self, call: Call, given: field_service.StartTimesheet) -> field_service.StartedTimesheet:
        await self._do("start_timesheet", call, given)
        self.clocks.append(given)
        return field_service.StartedTimesheet(id=f"w{len(self.clocks)}", started_at=given.starts)

    async def add_job_note(self, call: Call, given: field_service.AddJobNote) -> field_service.JobNote:
        await self._do("add_job_note", call, given)
        self.notes.append(given)
        return field_service.JobNote(id=f"n{len(self.notes)}", job_id=given.job_id)

    async def list_visits(self, call: Call, given: field_service.ListVisits) -> field_service.PlannedVisits:
        self.asked.append(given)
        return field_service.PlannedVisits(visits=self.visits)

    async def post(self, call: Call, given: chat.PostMessage) -> chat.Message:
        self.posts.append(given.text)
        return await super().post(call, given)


class Buying(Vendor):
    """Suppliers by SKU, and a shop's flags."""

    def __init__(self, name: str, terms: Mapping[str, purchasing.SupplyTerms] | None = None) -> None:
        super().__init__(name)
        self.terms = dict(terms or {})
        self.orders: list[purchasing.CreatePurchaseOrder] = []
        self.flagged: list[tuple[str, str]] = []
        """SKU and tag."""

    def actions(self) -> list[Action]:
        return [
            Action(purchasing.FIND_SUPPLIER, Unkeyed("it only reads"), self.find_supplier),
            Action(purchasing.CREATE_PURCHASE_ORDER, Upsert("the key"), self.create_purchase_order),
            Action(storefront.FLAG_PRODUCT, Upsert("the flags"), self.flag_product),
        ]

    async def find_supplier(self, call: Call, given: purchasing.FindSupplier) -> purchasing.SupplyTerms:
        await self._do("find_supplier", call, given)
        if given.sku not in self.terms:
            raise Refused(f"There is no supplier of {given.sku}.", cause=f"no-supplier:{given.sku}")
        return self.terms[given.sku]

    async def create_purchase_order(
        self, call: Call, given: purchasing.CreatePurchaseOrder
    ) -> purchasing.PurchaseOrder:
        await self._do("create_purchase_order", call, given)
        self.orders.append(given)
        number = f"P{len(self.orders)}"
        return purchasing.PurchaseOrder(id=number, number=number, supplier_id=given.supplier_id)

    async def flag_product(self, call: Call, given: storefront.FlagProduct) -> storefront.FlaggedProduct:
        await self._do("flag_product", call, given)
        self.flagged.append((given.sku, given.tag))
        return storefront.FlaggedProduct(product_id=given.sku, flags=(given.tag,))


def _booked(delivery: Delivery, connection: Connection) -> Normalised:
    """A body is {"type": …, "booking": a canonical booking}."""
    kind, made = delivery.json["type"], Booking.model_validate(delivery.json["booking"])
    subject, happened = f"booking/{made.id}", kind.rpartition(".")[2]
    key = f"{subject}/{happened}/{made.updated_at.isoformat()}"
    event = event_of(connection, kind, key, subject, made.updated_at, made, version=made.updated_at)
    return Normalised((event,))
