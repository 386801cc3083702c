-- Messages to receivers, from their making until they are delivered or given up. AUTOINCREMENT here
-- and below: a number is never given twice. `body` is last, so that finding touches no long texts.
CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    receiver   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    incident   INTEGER,
    service    TEXT,
    created_ms INTEGER NOT NULL,
    state      TEXT NOT NULL,
    batch      TEXT,
    attempts   INTEGER NOT NULL,
    next_ms    INTEGER,
    done_ms    INTEGER,
    error      TEXT,
    body       TEXT NOT NULL,
    seal       BLOB NOT NULL
) STRICT;
-- The queue of each receiver: first what is under way, then the others by age.
CREATE INDEX outbox_waiting ON outbox (receiver, batch, seq) WHERE state = 'pending';
CREATE INDEX outbox_by_state ON outbox (receiver, state, done_ms);
CREATE INDEX outbox_by_incident ON outbox (incident, seq);

-- Who changed what, and who tried to.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms    INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    verified INTEGER NOT NULL,
    address  TEXT NOT NULL,
    action   TEXT NOT NULL,
    target   TEXT NOT NULL,
    outcome  INTEGER NOT NULL,
    body     TEXT NOT NULL,
    seal     BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at_ms);
CREATE INDEX audit_by_actor ON audit (actor, id);

-- Who is logged in. The id is the hash of the token: the token itself is nowhere here.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    seal       BLOB NOT NULL
) STRICT;

-- When nobody is to be told, of a service or, without one, of anything.
CREATE TABLE mutes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    service  TEXT,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER,
    ended_ms INTEGER,
    body     TEXT NOT NULL,
    seal     BLOB NOT NULL
) STRICT;

-- What an incident is found by, in lower case. Made anew from the incident where it is missing.
CREATE TABLE incident_texts (
    incident_id INTEGER PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    text        TEXT NOT NULL,
    seal        BLOB NOT NULL
) STRICT;
