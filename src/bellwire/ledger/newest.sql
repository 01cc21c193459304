CREATE TABLE alerts (
	id INTEGER NOT NULL,
	topic TEXT DEFAULT '' NOT NULL,
	title TEXT DEFAULT '' NOT NULL,
	text TEXT DEFAULT '' NOT NULL,
	opened_at BIGINT NOT NULL,
	told INTEGER DEFAULT '0' NOT NULL,
	next_at BIGINT,
	resolved_at BIGINT,
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX one_open_alert ON alerts (topic) WHERE resolved_at IS NULL;
CREATE TABLE answers (
	token BIGINT NOT NULL,
	"key" TEXT NOT NULL,
	asked TEXT DEFAULT '' NOT NULL,
	status INTEGER NOT NULL,
	body TEXT DEFAULT '' NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (token, "key")
)
 WITHOUT ROWID;
CREATE INDEX answers_by_time ON answers (at);
CREATE TABLE audit (
	id INTEGER NOT NULL,
	at BIGINT NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	what TEXT DEFAULT '' NOT NULL,
	target TEXT DEFAULT '' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX audit_by_target ON audit (target);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_what ON audit (what);
CREATE INDEX audit_by_who ON audit (who);
CREATE TABLE checks (
	connection TEXT NOT NULL,
	findings TEXT DEFAULT '' NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (connection)
)
 WITHOUT ROWID;
CREATE TABLE consents (
	state TEXT NOT NULL,
	connection TEXT DEFAULT '' NOT NULL,
	session TEXT DEFAULT '' NOT NULL,
	sealed TEXT DEFAULT '' NOT NULL,
	asked_at BIGINT NOT NULL,
	PRIMARY KEY (state)
)
 WITHOUT ROWID;
CREATE TABLE crosswalk (
	connection TEXT NOT NULL,
	kind TEXT NOT NULL,
	ours TEXT NOT NULL,
	theirs TEXT DEFAULT '' NOT NULL,
	set_at BIGINT NOT NULL,
	PRIMARY KEY (connection, kind, ours)
)
 WITHOUT ROWID;
CREATE TABLE deliveries (
	id INTEGER NOT NULL,
	connection TEXT DEFAULT '' NOT NULL,
	environment TEXT DEFAULT '' NOT NULL,
	delivery_id TEXT DEFAULT '' NOT NULL,
	received_at BIGINT NOT NULL,
	state TEXT DEFAULT '' NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	copies INTEGER DEFAULT '1' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_delivery UNIQUE (connection, delivery_id)
);
CREATE INDEX deliveries_by_time ON deliveries (received_at);
CREATE INDEX deliveries_left ON deliveries (state, id) WHERE state IN ('dead', 'skipped');
CREATE INDEX deliveries_to_normalise ON deliveries (id) WHERE state = 'received';
CREATE INDEX webhooks_by_connection ON deliveries (connection, id) WHERE delivery_id NOT LIKE 'bellwire-polled/%';
CREATE TABLE drafts (
	id INTEGER NOT NULL,
	flow TEXT DEFAULT '' NOT NULL,
	source TEXT DEFAULT '' NOT NULL,
	base TEXT DEFAULT '' NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	at BIGINT NOT NULL,
	undone INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX drafts_by_flow ON drafts (flow);
CREATE TABLE errands (
	id INTEGER NOT NULL,
	what TEXT DEFAULT '' NOT NULL,
	given TEXT DEFAULT '' NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	asked_at BIGINT NOT NULL,
	total INTEGER NOT NULL,
	done INTEGER DEFAULT '0' NOT NULL,
	failed INTEGER DEFAULT '0' NOT NULL,
	stopped TEXT DEFAULT '' NOT NULL,
	done_at BIGINT,
	PRIMARY KEY (id)
);
CREATE INDEX errands_unfinished ON errands (id) WHERE done_at IS NULL;
CREATE TABLE failed_sign_ins (
	who TEXT NOT NULL,
	failures INTEGER NOT NULL,
	last_at BIGINT NOT NULL,
	PRIMARY KEY (who)
)
 WITHOUT ROWID;
CREATE TABLE flow_modes (
	flow TEXT NOT NULL,
	mode TEXT DEFAULT '' NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	set_at BIGINT NOT NULL,
	PRIMARY KEY (flow)
)
 WITHOUT ROWID;
CREATE TABLE flow_versions (
	id INTEGER NOT NULL,
	flow TEXT DEFAULT '' NOT NULL,
	hash TEXT DEFAULT '' NOT NULL,
	source TEXT DEFAULT '' NOT NULL,
	recorded_at BIGINT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX versions_of_flow ON flow_versions (flow, hash);
CREATE TABLE health (
	connection TEXT NOT NULL,
	state TEXT DEFAULT '' NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	failures INTEGER DEFAULT '0' NOT NULL,
	since BIGINT NOT NULL,
	probe_at BIGINT,
	PRIMARY KEY (connection)
)
 WITHOUT ROWID;
CREATE TABLE link_keys (
	purpose TEXT NOT NULL,
	"key" TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (purpose)
)
 WITHOUT ROWID;
CREATE TABLE people (
	id INTEGER NOT NULL,
	name TEXT DEFAULT '' NOT NULL,
	email TEXT DEFAULT '' NOT NULL,
	role TEXT DEFAULT '' NOT NULL,
	password TEXT DEFAULT '' NOT NULL,
	created_at BIGINT NOT NULL,
	disabled_at BIGINT,
	signed_in_at BIGINT,
	codes_since BIGINT,
	code_step BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_person UNIQUE (email)
);
CREATE TABLE pilots (
	id INTEGER NOT NULL,
	flow TEXT DEFAULT '' NOT NULL,
	flow_hash TEXT DEFAULT '' NOT NULL,
	ran_on TEXT DEFAULT '' NOT NULL,
	ready INTEGER NOT NULL,
	as_expected INTEGER NOT NULL,
	records INTEGER NOT NULL,
	at BIGINT NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX pilots_by_flow ON pilots (flow, flow_hash);
CREATE TABLE polls (
	connection TEXT NOT NULL,
	name TEXT NOT NULL,
	since BIGINT NOT NULL,
	cursor TEXT DEFAULT '' NOT NULL,
	begun_at BIGINT,
	due_at BIGINT NOT NULL,
	failures INTEGER DEFAULT '0' NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	failing_since BIGINT,
	PRIMARY KEY (connection, name)
)
 WITHOUT ROWID;
CREATE TABLE processes (
	id INTEGER NOT NULL,
	name TEXT DEFAULT '' NOT NULL,
	work TEXT DEFAULT '' NOT NULL,
	version TEXT DEFAULT '' NOT NULL,
	started_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	carrying INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE purges (
	id INTEGER NOT NULL,
	at BIGINT NOT NULL,
	payloads BIGINT NOT NULL,
	events BIGINT NOT NULL,
	size BIGINT NOT NULL,
	given_back BIGINT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE refusals (
	day TEXT NOT NULL,
	connection TEXT NOT NULL,
	reason TEXT NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (day, connection, reason)
)
 WITHOUT ROWID;
CREATE TABLE sales (
	environment TEXT NOT NULL,
	sku TEXT NOT NULL,
	day TEXT NOT NULL,
	sold BIGINT NOT NULL,
	largest BIGINT NOT NULL,
	spiking INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (environment, sku, day)
)
 WITHOUT ROWID;
CREATE INDEX sales_by_day ON sales (day);
CREATE TABLE schedules (
	flow TEXT NOT NULL,
	schedule TEXT DEFAULT '' NOT NULL,
	due_at BIGINT NOT NULL,
	PRIMARY KEY (flow)
)
 WITHOUT ROWID;
CREATE TABLE signings (
	connection TEXT NOT NULL,
	newest_at BIGINT,
	earlier_at BIGINT,
	PRIMARY KEY (connection)
)
 WITHOUT ROWID;
CREATE TABLE stock_items (
	connection TEXT NOT NULL,
	item TEXT NOT NULL,
	sku TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (connection, item)
)
 WITHOUT ROWID;
CREATE TABLE stock_levels (
	environment TEXT NOT NULL,
	connection TEXT NOT NULL,
	location TEXT NOT NULL,
	sku TEXT NOT NULL,
	available BIGINT NOT NULL,
	counted_at BIGINT NOT NULL,
	noted_at BIGINT NOT NULL,
	low INTEGER DEFAULT '0' NOT NULL,
	crossings INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (environment, connection, location, sku)
)
 WITHOUT ROWID;
CREATE TABLE subjects (
	connection TEXT NOT NULL,
	type TEXT NOT NULL,
	subject TEXT NOT NULL,
	version BIGINT NOT NULL,
	PRIMARY KEY (connection, type, subject)
)
 WITHOUT ROWID;
CREATE TABLE windows (
	flow TEXT NOT NULL,
	"key" TEXT NOT NULL,
	run BIGINT NOT NULL,
	PRIMARY KEY (flow, "key")
)
 WITHOUT ROWID;
CREATE TABLE errand_steps (
	errand INTEGER NOT NULL,
	exception BIGINT NOT NULL,
	why TEXT,
	PRIMARY KEY (errand, exception),
	FOREIGN KEY(errand) REFERENCES errands (id)
)
 WITHOUT ROWID;
CREATE TABLE events (
	id INTEGER NOT NULL,
	delivery INTEGER,
	connection TEXT DEFAULT '' NOT NULL,
	environment TEXT DEFAULT '' NOT NULL,
	type TEXT DEFAULT '' NOT NULL,
	subject TEXT DEFAULT '' NOT NULL,
	business_key TEXT DEFAULT '' NOT NULL,
	time BIGINT NOT NULL,
	version BIGINT,
	recorded_at BIGINT NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	copies INTEGER DEFAULT '1' NOT NULL,
	data TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_fact UNIQUE (connection, business_key),
	FOREIGN KEY(delivery) REFERENCES deliveries (id)
);
CREATE INDEX events_by_delivery ON events (delivery);
CREATE INDEX events_by_subject ON events (connection, subject);
CREATE INDEX events_by_time ON events (recorded_at);
CREATE INDEX events_by_type ON events (connection, type, id);
CREATE TABLE messages (
	id INTEGER NOT NULL,
	alert INTEGER,
	channel TEXT DEFAULT '' NOT NULL,
	kind TEXT DEFAULT '' NOT NULL,
	at BIGINT NOT NULL,
	error TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(alert) REFERENCES alerts (id)
);
CREATE INDEX messages_by_alert ON messages (alert);
CREATE TABLE payloads (
	delivery INTEGER NOT NULL,
	headers TEXT DEFAULT '' NOT NULL,
	url TEXT DEFAULT '' NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (delivery),
	FOREIGN KEY(delivery) REFERENCES deliveries (id)
);
CREATE TABLE recovery_codes (
	person INTEGER NOT NULL,
	"key" TEXT NOT NULL,
	PRIMARY KEY (person, "key"),
	FOREIGN KEY(person) REFERENCES people (id)
)
 WITHOUT ROWID;
CREATE TABLE sessions (
	"key" TEXT NOT NULL,
	person INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	agent TEXT DEFAULT '' NOT NULL,
	awaits TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY ("key"),
	FOREIGN KEY(person) REFERENCES people (id)
)
 WITHOUT ROWID;
CREATE INDEX sessions_by_person ON sessions (person);
CREATE TABLE tokens (
	id INTEGER NOT NULL,
	person INTEGER,
	name TEXT DEFAULT '' NOT NULL,
	"key" TEXT DEFAULT '' NOT NULL,
	rights TEXT DEFAULT '' NOT NULL,
	created_at BIGINT NOT NULL,
	used_at BIGINT,
	expires_at BIGINT,
	revoked_at BIGINT,
	PRIMARY KEY (id),
	CONSTRAINT one_token UNIQUE ("key"),
	FOREIGN KEY(person) REFERENCES people (id)
);
CREATE TABLE endings (
	flow TEXT NOT NULL,
	"key" TEXT NOT NULL,
	event INTEGER NOT NULL,
	run BIGINT NOT NULL,
	time BIGINT NOT NULL,
	PRIMARY KEY (flow, "key", event, run),
	FOREIGN KEY(event) REFERENCES events (id)
)
 WITHOUT ROWID;
CREATE TABLE runs (
	id INTEGER NOT NULL,
	event INTEGER NOT NULL,
	flow TEXT DEFAULT '' NOT NULL,
	flow_hash TEXT DEFAULT '' NOT NULL,
	nonce TEXT DEFAULT '' NOT NULL,
	state TEXT DEFAULT '' NOT NULL,
	reason TEXT DEFAULT '' NOT NULL,
	fence INTEGER DEFAULT '1' NOT NULL,
	interrupted INTEGER DEFAULT '0' NOT NULL,
	created_at BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	due_at BIGINT,
	retried_at BIGINT,
	finished_at BIGINT,
	subject TEXT DEFAULT '' NOT NULL,
	held_for TEXT DEFAULT '' NOT NULL,
	ended_by BIGINT,
	job BIGINT,
	PRIMARY KEY (id),
	CONSTRAINT one_run UNIQUE (flow, event, nonce),
	FOREIGN KEY(event) REFERENCES events (id)
);
CREATE INDEX runs_by_event ON runs (event);
CREATE INDEX runs_by_job ON runs (job) WHERE state = 'running' AND job IS NOT NULL;
CREATE INDEX runs_by_time ON runs (created_at);
CREATE INDEX runs_by_version ON runs (flow_hash, flow, created_at);
CREATE INDEX runs_due ON runs (due_at) WHERE state = 'waiting';
CREATE INDEX runs_going_on ON runs (id) WHERE state = 'running';
CREATE INDEX runs_held ON runs (held_for) WHERE state = 'held';
CREATE INDEX runs_skipped ON runs (id) WHERE state = 'skipped';
CREATE INDEX runs_unfinished_of_subject ON runs (subject) WHERE state IN ('running', 'waiting', 'held', 'dead');
CREATE TABLE terms (
	term TEXT NOT NULL,
	event INTEGER NOT NULL,
	PRIMARY KEY (term, event),
	FOREIGN KEY(event) REFERENCES events (id)
)
 WITHOUT ROWID;
CREATE INDEX terms_by_event ON terms (event);
CREATE TABLE asks (
	id INTEGER NOT NULL,
	run INTEGER NOT NULL,
	flow TEXT DEFAULT '' NOT NULL,
	action TEXT DEFAULT '' NOT NULL,
	item INTEGER DEFAULT '0' NOT NULL,
	kind TEXT DEFAULT '' NOT NULL,
	text TEXT DEFAULT '' NOT NULL,
	given TEXT DEFAULT '' NOT NULL,
	asked TEXT DEFAULT '' NOT NULL,
	asked_at BIGINT NOT NULL,
	expires_at BIGINT,
	state TEXT DEFAULT '' NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	decided_at BIGINT,
	reason TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(run) REFERENCES runs (id)
);
CREATE INDEX asks_by_decision ON asks (decided_at, id);
CREATE INDEX asks_by_run ON asks (run);
CREATE INDEX asks_open ON asks (id) WHERE state = 'open';
CREATE TABLE attempts (
	run INTEGER NOT NULL,
	action TEXT NOT NULL,
	item INTEGER NOT NULL,
	number INTEGER NOT NULL,
	outcome TEXT DEFAULT '' NOT NULL,
	started_at BIGINT NOT NULL,
	finished_at BIGINT,
	next_at BIGINT,
	result TEXT,
	cause TEXT DEFAULT '' NOT NULL,
	sentence TEXT DEFAULT '' NOT NULL,
	remedy TEXT DEFAULT '' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (run, action, item, number),
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID;
CREATE TABLE edits (
	run INTEGER NOT NULL,
	action TEXT NOT NULL,
	item INTEGER NOT NULL,
	given TEXT DEFAULT '' NOT NULL,
	set_at BIGINT NOT NULL,
	PRIMARY KEY (run, action, item),
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID;
CREATE TABLE exceptions (
	id INTEGER NOT NULL,
	run INTEGER,
	delivery INTEGER,
	flow TEXT DEFAULT '' NOT NULL,
	action TEXT DEFAULT '' NOT NULL,
	item INTEGER DEFAULT '0' NOT NULL,
	connection TEXT DEFAULT '' NOT NULL,
	cause TEXT DEFAULT '' NOT NULL,
	sentence TEXT DEFAULT '' NOT NULL,
	remedy TEXT DEFAULT '' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	opened_at BIGINT NOT NULL,
	state TEXT DEFAULT '' NOT NULL,
	closed_at BIGINT,
	reason TEXT DEFAULT '' NOT NULL,
	assignee INTEGER,
	PRIMARY KEY (id),
	FOREIGN KEY(run) REFERENCES runs (id),
	FOREIGN KEY(delivery) REFERENCES deliveries (id),
	FOREIGN KEY(assignee) REFERENCES people (id)
);
CREATE INDEX exceptions_by_delivery ON exceptions (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX exceptions_by_run ON exceptions (run);
CREATE INDEX exceptions_by_time ON exceptions (opened_at);
CREATE INDEX exceptions_open ON exceptions (id) WHERE state = 'open';
CREATE TABLE exchanges (
	run INTEGER NOT NULL,
	action TEXT NOT NULL,
	item INTEGER NOT NULL,
	number INTEGER NOT NULL,
	packed BLOB NOT NULL,
	PRIMARY KEY (run, action, item, number),
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID;
CREATE TABLE gathered (
	run INTEGER NOT NULL,
	event INTEGER NOT NULL,
	PRIMARY KEY (run, event),
	FOREIGN KEY(run) REFERENCES runs (id),
	FOREIGN KEY(event) REFERENCES events (id)
)
 WITHOUT ROWID;
CREATE INDEX gathered_by_event ON gathered (event);
CREATE TABLE comments (
	id INTEGER NOT NULL,
	exception INTEGER NOT NULL,
	at BIGINT NOT NULL,
	who TEXT DEFAULT '' NOT NULL,
	text TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(exception) REFERENCES exceptions (id)
);
CREATE INDEX comments_by_exception ON comments (exception);
