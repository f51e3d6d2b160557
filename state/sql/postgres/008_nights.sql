-- Jobs for the night, of every project of this user: each names the root of its own. `depends` and `checks` are JSON.
-- Moments are unix seconds. Who holds a job is known by `fence`, which only grows.
CREATE TABLE night_jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    code TEXT COLLATE "C" NOT NULL UNIQUE,
    text TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    priority TEXT COLLATE "C" NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    value DOUBLE PRECISION NOT NULL,
    quota_points DOUBLE PRECISION,
    minutes DOUBLE PRECISION,
    depends TEXT COLLATE "C" NOT NULL,
    not_before DOUBLE PRECISION,
    deadline DOUBLE PRECISION,
    checks TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C",
    tier TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (
        status IN ('queued', 'running', 'shipped', 'unverified', 'failed', 'skipped', 'cancelled')
    ),
    attempts BIGINT NOT NULL,
    why TEXT COLLATE "C",
    branch TEXT COLLATE "C",
    worktree TEXT COLLATE "C",
    session TEXT COLLATE "C",
    run TEXT COLLATE "C",
    points_used DOUBLE PRECISION,
    fence BIGINT NOT NULL,
    owner TEXT COLLATE "C",
    renewed_at DOUBLE PRECISION,
    expires_at DOUBLE PRECISION,
    added_at DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION,
    ended_at DOUBLE PRECISION
);
CREATE INDEX night_jobs_by_status ON night_jobs (status, number);
