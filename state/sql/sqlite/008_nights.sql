-- Jobs for the night, of every project of this user: each names the root of its own. `depends` and `checks` are JSON.
-- Moments are unix seconds. Who holds a job is known by `fence`, which only grows.
CREATE TABLE night_jobs (
    id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    code TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    project TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    value REAL NOT NULL,
    quota_points REAL,
    minutes REAL,
    depends TEXT NOT NULL,
    not_before REAL,
    deadline REAL,
    checks TEXT NOT NULL,
    agent TEXT,
    tier TEXT,
    status TEXT NOT NULL CHECK (
        status IN ('queued', 'running', 'shipped', 'unverified', 'failed', 'skipped', 'cancelled')
    ),
    attempts INTEGER NOT NULL,
    why TEXT,
    branch TEXT,
    worktree TEXT,
    session TEXT,
    run TEXT,
    points_used REAL,
    fence INTEGER NOT NULL,
    owner TEXT,
    renewed_at REAL,
    expires_at REAL,
    added_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL
);
CREATE INDEX night_jobs_by_status ON night_jobs (status, number);
