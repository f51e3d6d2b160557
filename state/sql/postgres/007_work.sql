-- What is to be done, in the order of `number`. A claim on it is in `claims`; `busy_ms` sums the claims that have ended.
-- `open_needs` counts what it waits for, `dependents` what waits for it, both from `work_needs`.
CREATE TABLE work (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    text TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('queued', 'claimed', 'completed', 'dead')),
    priority TEXT COLLATE "C" NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    project TEXT COLLATE "C",
    tags TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C",
    not_before TEXT COLLATE "C",
    retry_at TEXT COLLATE "C",
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    estimate_minutes BIGINT,
    added_at TEXT COLLATE "C" NOT NULL,
    claimed_at TEXT COLLATE "C",
    ended_at TEXT COLLATE "C",
    busy_ms BIGINT NOT NULL,
    open_needs BIGINT NOT NULL DEFAULT 0,
    dependents BIGINT NOT NULL DEFAULT 0,
    result TEXT COLLATE "C",
    reason TEXT COLLATE "C"
);
CREATE INDEX work_next ON work (status, open_needs, dependents DESC, priority, number);

CREATE TABLE work_needs (
    item TEXT COLLATE "C" NOT NULL,
    needs TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (item, needs)
);
CREATE INDEX work_needs_by_needs ON work_needs (needs);

-- Who holds what until when. A row outlives its claim (`owner` is NULL then): its token must never come again.
CREATE TABLE claims (
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('work', 'task', 'file')),
    key TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    token BIGINT NOT NULL,
    acquired_at TEXT COLLATE "C" NOT NULL,
    renewed_at TEXT COLLATE "C" NOT NULL,
    expires_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX claims_held ON claims (kind, expires_at) WHERE owner IS NOT NULL;
