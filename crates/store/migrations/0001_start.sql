-- `seal` is a hash over the row's other columns: damage to the file is found, never believed.
-- No table is WITHOUT ROWID, so that a damaged row of any can be removed by its rowid.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    seal  BLOB NOT NULL
) STRICT;

-- The columns beside `body` are for finding; `body` is the incident as versioned JSON, without its
-- timeline and logs.
CREATE TABLE incidents (
    id           INTEGER PRIMARY KEY,
    service      TEXT NOT NULL,
    status       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    firing       INTEGER NOT NULL,
    severity     TEXT NOT NULL,
    opened_ms    INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    ended_ms     INTEGER,
    body         TEXT NOT NULL,
    seal         BLOB NOT NULL
) STRICT;
CREATE INDEX incidents_by_service ON incidents (service, id);
CREATE INDEX incidents_by_status ON incidents (status, id);
CREATE INDEX incidents_by_severity ON incidents (severity, id);
CREATE INDEX incidents_by_last_seen ON incidents (last_seen_ms);

-- Apart, because they are large and written once, while an incident is written at each tick.
CREATE TABLE incident_logs (
    incident_id INTEGER PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    body        TEXT NOT NULL,
    seal        BLOB NOT NULL
) STRICT;

-- Append-only.
CREATE TABLE timeline (
    incident_id INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    body        TEXT NOT NULL,
    seal        BLOB NOT NULL,
    PRIMARY KEY (incident_id, seq)
) STRICT;

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    finished_ms INTEGER,
    body        TEXT NOT NULL,
    seal        BLOB NOT NULL
) STRICT;
CREATE INDEX jobs_by_created ON jobs (created_ms);

CREATE TABLE engine_state (
    key     TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    bytes   BLOB NOT NULL,
    seal    BLOB NOT NULL
) STRICT;
