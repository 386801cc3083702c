-- From here on `severity` is the shown one: an operator's word, else the computed one. The seal of
-- an incident covers the columns that are added here; rows of before are sealed anew by the
-- program (database/version_1.rs).
ALTER TABLE incidents ADD COLUMN severity_rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN owner TEXT;
ALTER TABLE incidents ADD COLUMN snoozed INTEGER NOT NULL DEFAULT 0;
DROP INDEX incidents_by_severity;

-- Everything a list is filtered and sorted by, so that finding a page touches no body. One narrow
-- index that is walked beats many that are written at each tick.
CREATE INDEX incidents_listing ON incidents (
    id, service, status, kind, firing, severity_rank, opened_ms, last_seen_ms, owner, snoozed
);

-- Apart for the same reason as logs.
CREATE TABLE incident_evidence (
    incident_id INTEGER PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    body        TEXT NOT NULL,
    seal        BLOB NOT NULL
) STRICT;

-- What people and pipelines posted. AUTOINCREMENT: a number is never given twice.
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    key     TEXT UNIQUE,
    at_ms   INTEGER NOT NULL,
    service TEXT,
    body    TEXT NOT NULL,
    seal    BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at_ms, id);

-- What was decided of each series, from an instant until the next record of that series.
CREATE TABLE ledger (
    service TEXT NOT NULL,
    metric  TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    body    TEXT NOT NULL,
    seal    BLOB NOT NULL,
    PRIMARY KEY (service, metric, from_ms)
) STRICT;
CREATE INDEX ledger_by_time ON ledger (from_ms);

-- Stretches in which ticks were evaluated: outside them the ledger says nothing.
CREATE TABLE runs (
    id      INTEGER PRIMARY KEY,
    from_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    seal    BLOB NOT NULL
) STRICT;
CREATE INDEX runs_by_time ON runs (from_ms);
