-- What is to be done, in the order of `number`. A claim on it is in `claims`; `busy_ms` sums the claims that have ended.
-- `open_needs` counts what it waits for, `dependents` what waits for it, both from `work_needs`.
CREATE TABLE work (
    id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    text TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'claimed', 'completed', 'dead')),
    priority TEXT NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    project TEXT,
    tags TEXT NOT NULL,
    session TEXT,
    not_before TEXT,
    retry_at TEXT,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    estimate_minutes INTEGER,
    added_at TEXT NOT NULL,
    claimed_at TEXT,
    ended_at TEXT,
    busy_ms INTEGER NOT NULL,
    open_needs INTEGER NOT NULL DEFAULT 0,
    dependents INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    reason TEXT
);
CREATE INDEX work_next ON work (status, open_needs, dependents DESC, priority, number);

CREATE TABLE work_needs (
    item TEXT NOT NULL,
    needs TEXT NOT NULL,
    PRIMARY KEY (item, needs)
);
CREATE INDEX work_needs_by_needs ON work_needs (needs);

-- Who holds what until when. A row outlives its claim (`owner` is NULL then): its token must never come again.
CREATE TABLE claims (
    kind TEXT NOT NULL CHECK (kind IN ('work', 'task', 'file')),
    key TEXT NOT NULL,
    owner TEXT,
    token INTEGER NOT NULL,
    acquired_at TEXT NOT NULL,
    renewed_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX claims_held ON claims (kind, expires_at) WHERE owner IS NOT NULL;
