"""The GraphQL documents that are sent.

Each field costs a point, in lists as often as `first` says; one query may cost 10,000:
https://developer.getjobber.com/docs/using_jobbers_api/api_rate_limits
"""

_CLIENT = """
fragment Known on Client {
  id name firstName lastName companyName
  emails { address }
  phones { number }
}
"""

_PLACE = """
fragment Place on Property { id address { street1 street2 postalCode } }
"""

_ADDRESS = """
fragment Whole on PropertyAddress { street1 street2 city province postalCode country }
"""

_JOB = (
    """
fragment Told on Job {
  id jobNumber title instructions jobStatus startAt endAt completedAt updatedAt total
  client { id name companyName emails { address } phones { number } }
  property { address { ...Whole } }
}
"""
    + _ADDRESS
)

WHO_AM_I = "query WhoAmI { account { id name } }"

CLIENTS_FOUND = (
    """
query ClientsFound($term: String!, $after: String) {
  clients(searchTerm: $term, first: 20, after: $after) { nodes { ...Known } pageInfo { hasNextPage endCursor } }
}
"""
    + _CLIENT
)

CLIENTS_SINCE = (
    """
query ClientsSince($since: ISO8601DateTime!, $after: String) {
  clients(filter: {createdAt: {after: $since}}, first: 20, after: $after) {
    nodes { ...Known } pageInfo { hasNextPage endCursor }
  }
}
"""
    + _CLIENT
)

CREATE_CLIENT = (
    """
mutation CreateClient($input: ClientCreateInput!) {
  clientCreate(input: $input) {
    client { id name clientProperties(first: 10) { nodes { ...Place } } } userErrors { message path }
  }
}
"""
    + _PLACE
)

PLACES = (
    """
query Places($id: EncodedId!, $after: String) {
  client(id: $id) {
    clientProperties(first: 10, after: $after) { nodes { ...Place } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _PLACE
)

CREATE_PROPERTY = """
mutation CreateProperty($client: EncodedId!, $input: PropertyCreateInput!) {
  propertyCreate(clientId: $client, input: $input) { properties { id } userErrors { message path } }
}
"""

USERS = """
query Users($after: String) {
  users(first: 20, after: $after) { nodes { id email { raw } } pageInfo { hasNextPage endCursor } }
}
"""

CREATE_JOB = """
mutation CreateJob($input: JobCreateAttributes!) {
  jobCreate(input: $input) { job { id jobNumber jobberWebUri } userErrors { message path } }
}
"""

JOBS_OF_CLIENT = """
query JobsOfClient($id: EncodedId!, $after: String) {
  client(id: $id) {
    jobs(first: 20, after: $after) {
      nodes { id jobNumber jobberWebUri title instructions startAt } pageInfo { hasNextPage endCursor }
    }
  }
}
"""

TIME_SHEET = """
query TimeSheet($id: EncodedId!, $after: String) {
  job(id: $id) {
    timeSheetEntries(first: 20, after: $after) {
      nodes { id startAt finalDuration ticking user { name { full } } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""

VISITS_OF_JOB = """
query VisitsOfJob($id: EncodedId!, $after: String) {
  job(id: $id) {
    visits(first: 20, after: $after) { nodes { id startAt isComplete } pageInfo { hasNextPage endCursor } }
  }
}
"""

CLOCKS = """
query Clocks($id: EncodedId!, $after: String) {
  job(id: $id) {
    timeSheetEntries(first: 20, after: $after) {
      nodes { id startAt ticking user { id } visit { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""

START_CLOCK = """
mutation StartClock($visit: EncodedId!, $user: EncodedId!, $at: ISO8601DateTime!) {
  visitStartTimer(visitId: $visit, userId: $user, startAt: $at) {
    timeSheetEntry { id startAt } userErrors { message path }
  }
}
"""

CREATE_NOTE = """
mutation CreateNote($job: EncodedId!, $input: JobCreateNoteInput!) {
  jobCreateNote(jobId: $job, input: $input) { jobNote { id } userErrors { message path } }
}
"""

NOTES = """
query Notes($id: EncodedId!, $after: String) {
  job(id: $id) {
    notes(first: 50, after: $after) {
      nodes { ... on JobNote { id message createdAt } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""

CLOSE_JOB = """
mutation CloseJob($job: EncodedId!) {
  jobClose(jobId: $job, input: {modifyIncompleteVisitsBy: COMPLETE_PAST_DESTROY_FUTURE}) {
    job { id completedAt } userErrors { message path }
  }
}
"""

VISITS = (
    """
query Visits($since: ISO8601DateTime!, $before: ISO8601DateTime!, $user: EncodedId, $after: String) {
  visits(filter: {startAt: {after: $since, before: $before}, assignedTo: $user}, first: 50, after: $after) {
    nodes {
      id title allDay startAt endAt isComplete client { name } job { id jobNumber }
      property { address { ...Whole coordinates { latitude longitude } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _ADDRESS
)

JOB_STATUS = "query JobStatus($id: EncodedId!) { job(id: $id) { id jobNumber jobStatus completedAt } }"

JOBS_CHANGED = (
    """
query JobsChanged($after: String) {
  jobs(sort: [{key: UPDATED_AT, direction: DESCENDING}], first: 50, after: $after) {
    nodes { ...Told } pageInfo { hasNextPage endCursor }
  }
}
"""
    + _JOB
)

DOCUMENTS = (
    WHO_AM_I,
    CLIENTS_FOUND,
    CLIENTS_SINCE,
    CREATE_CLIENT,
    PLACES,
    CREATE_PROPERTY,
    USERS,
    CREATE_JOB,
    JOBS_OF_CLIENT,
    TIME_SHEET,
    VISITS_OF_JOB,
    CLOCKS,
    START_CLOCK,
    CREATE_NOTE,
    NOTES,
    CLOSE_JOB,
    VISITS,
    JOB_STATUS,
    JOBS_CHANGED,
)
