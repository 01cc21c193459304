"""The part of Jobber's GraphQL schema that is practised with, and lists as it gives them."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema

Node = dict[str, Any]

_PAGED = "first: Int, after: String, last: Int, before: String"

SCHEMA: GraphQLSchema = build_schema(f"""
scalar EncodedId
scalar ISO8601Date
scalar ISO8601DateTime
scalar ISO8601Time
scalar Seconds
enum SortDirectionEnum {{ ASCENDING DESCENDING }}
enum JobSortKey {{ CLIENT_FIRST_NAME CLIENT_PRIMARY_NAME UPDATED_AT }}
enum JobStatusTypeEnum {{
  requires_invoicing archived late today upcoming action_required on_hold unscheduled active expiring_within_30_days
}}
enum EmailDescription {{ MAIN WORK PERSONAL OTHER }}
enum PhoneNumberDescription {{ MAIN WORK MOBILE HOME FAX OTHER }}
enum BillingStrategy {{ FIXED_PRICE VISIT_BASED }}
enum BillingFrequencyEnum {{ ON_COMPLETION PERIODIC PER_VISIT NEVER }}
enum DurationUnit {{ DAYS WEEKS MONTHS YEARS }}
enum IncompleteVisitDecisionEnum {{ DESTROY_ALL COMPLETE_PAST_DESTROY_FUTURE }}
input Iso8601DateTimeRangeInput {{ before: ISO8601DateTime after: ISO8601DateTime eq: ISO8601DateTime }}
input ClientFilterAttributes {{ createdAt: Iso8601DateTimeRangeInput updatedAt: Iso8601DateTimeRangeInput }}
input VisitFilterAttributes {{ startAt: Iso8601DateTimeRangeInput assignedTo: EncodedId }}
input JobsSortInput {{ key: JobSortKey! direction: SortDirectionEnum! }}
input EmailCreateAttributes {{ description: EmailDescription address: String primary: Boolean }}
input PhoneNumberCreateAttributes {{ description: PhoneNumberDescription number: String primary: Boolean }}
input AddressAttributes {{
  street1: String street2: String city: String province: String postalCode: String country: String
}}
input PropertyAttributes {{ address: AddressAttributes! }}
input PropertyCreateInput {{ properties: [PropertyAttributes!] }}
input ClientCreateInput {{
  firstName: String lastName: String companyName: String isCompany: Boolean
  emails: [EmailCreateAttributes!] phones: [PhoneNumberCreateAttributes!] properties: [PropertyAttributes!]
}}
input TimeframeAttributes {{ startAt: ISO8601Date durationUnits: DurationUnit durationValue: Int }}
input JobSchedulingAttributes {{
  createVisits: Boolean! notifyTeam: Boolean! assignedTo: [EncodedId!] startTime: ISO8601Time endTime: ISO8601Time
}}
input JobInvoicingAttributes {{ invoicingType: BillingStrategy! invoicingSchedule: BillingFrequencyEnum! }}
input JobCreateLineItemAttributes {{
  name: String! description: String unitPrice: Float! quantity: Float! saveToProductsAndServices: Boolean!
}}
input JobCreateAttributes {{
  propertyId: EncodedId! title: String instructions: String timeframe: TimeframeAttributes
  scheduling: JobSchedulingAttributes invoicing: JobInvoicingAttributes! lineItems: [JobCreateLineItemAttributes!]
}}
input JobCreateNoteInput {{ message: String }}
input JobCloseInput {{ modifyIncompleteVisitsBy: IncompleteVisitDecisionEnum! }}
type MutationErrors {{ message: String! path: [String!]! }}
type PageInfo {{ hasNextPage: Boolean! endCursor: String }}
type Account {{ id: EncodedId! name: String! }}
type Name {{ full: String! first: String! last: String! }}
type UserEmail {{ raw: String! isValid: Boolean! }}
type User {{ id: EncodedId! name: Name! email: UserEmail! }}
type UserConnection {{ nodes: [User!]! pageInfo: PageInfo! }}
type Email {{ address: String! primary: Boolean! }}
type ClientPhoneNumber {{ number: String! primary: Boolean! }}
type GeoPoint {{ latitude: Float! longitude: Float! }}
type PropertyAddress {{
  street1: String street2: String city: String province: String postalCode: String country: String
  coordinates: GeoPoint
}}
type Property {{ id: EncodedId! address: PropertyAddress! }}
type PropertyConnection {{ nodes: [Property!]! pageInfo: PageInfo! }}
type Client {{
  id: EncodedId! name: String! firstName: String! lastName: String! companyName: String createdAt: ISO8601DateTime!
  emails: [Email!]! phones: [ClientPhoneNumber!]!
  clientProperties({_PAGED}): PropertyConnection! jobs({_PAGED}): JobConnection!
}}
type ClientConnection {{ nodes: [Client!]! pageInfo: PageInfo! totalCount: Int! }}
type TimeSheetEntry {{ id: EncodedId! startAt: ISO8601DateTime! finalDuration: Seconds! ticking: Boolean! user: User
  visit: Visit
}}
type TimeSheetEntryConnection {{ nodes: [TimeSheetEntry!]! pageInfo: PageInfo! }}
type JobNote {{ id: EncodedId! message: String! createdAt: ISO8601DateTime! }}
type ClientNote {{ id: EncodedId! message: String! createdAt: ISO8601DateTime! }}
union JobNoteUnion = ClientNote | JobNote
type JobNoteUnionConnection {{ nodes: [JobNoteUnion!]! pageInfo: PageInfo! }}
type Job {{
  id: EncodedId! jobNumber: Int! title: String instructions: String jobStatus: JobStatusTypeEnum! jobberWebUri: String!
  startAt: ISO8601DateTime endAt: ISO8601DateTime completedAt: ISO8601DateTime
  createdAt: ISO8601DateTime! updatedAt: ISO8601DateTime! total: Float! client: Client! property: Property!
  visits({_PAGED}): VisitConnection!
  timeSheetEntries({_PAGED}): TimeSheetEntryConnection! notes({_PAGED}): JobNoteUnionConnection!
}}
type JobConnection {{ nodes: [Job!]! pageInfo: PageInfo! totalCount: Int! }}
type Visit {{
  id: EncodedId! title: String allDay: Boolean! startAt: ISO8601DateTime endAt: ISO8601DateTime isComplete: Boolean!
  client: Client! job: Job! property: Property!
}}
type VisitConnection {{ nodes: [Visit!]! pageInfo: PageInfo! totalCount: Int! }}
type ClientCreatePayload {{ client: Client userErrors: [MutationErrors!]! }}
type PropertyCreatePayload {{ client: Client properties: [Property!]! userErrors: [MutationErrors!]! }}
type JobCreatePayload {{ job: Job userErrors: [MutationErrors!]! }}
type JobCreateNotePayload {{ job: Job jobNote: JobNote userErrors: [MutationErrors!]! }}
type JobClosePayload {{ job: Job userErrors: [MutationErrors!]! }}
type VisitStartTimerPayload {{ timeSheetEntry: TimeSheetEntry userErrors: [MutationErrors!]! }}
type Query {{
  account: Account
  client(id: EncodedId!): Client
  clients(filter: ClientFilterAttributes, searchTerm: String, {_PAGED}): ClientConnection!
  job(id: EncodedId!): Job
  jobs(sort: [JobsSortInput!], searchTerm: String, {_PAGED}): JobConnection!
  users({_PAGED}): UserConnection!
  visits(filter: VisitFilterAttributes, {_PAGED}): VisitConnection!
}}
type Mutation {{
  clientCreate(input: ClientCreateInput!): ClientCreatePayload!
  propertyCreate(clientId: EncodedId!, input: PropertyCreateInput!): PropertyCreatePayload!
  jobCreate(input: JobCreateAttributes!): JobCreatePayload!
  jobCreateNote(jobId: EncodedId!, input: JobCreateNoteInput!): JobCreateNotePayload!
  jobClose(jobId: EncodedId!, input: JobCloseInput!): JobClosePayload!
  visitStartTimer(visitId: EncodedId!, userId: EncodedId, startAt: ISO8601DateTime): VisitStartTimerPayload!
}}
""")


def connection(records: Callable[[], Sequence[Any]], show: Callable[[Any], Node]) -> Callable[..., Node]:
    """The field of a list: nodes after a cursor, which is the number of those before them."""

    def resolve(_info: Any, *, first: int = 100, after: str | None = None, **_: Any) -> Node:
        start = 0
        if after:
            if not after.isdecimal():
                raise GraphQLError(f"Invalid cursor: {after}")
            start = int(after)
        found = records()
        end = min(start + first, len(found))
        return {
            "nodes": [show(each) for each in found[start:end]],
            "pageInfo": {"hasNextPage": end < len(found), "endCursor": str(end)},
            "totalCount": len(found),
        }

    return resolve
