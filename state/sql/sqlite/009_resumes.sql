-- Sessions of the client that may go on by themselves after a limit: each was opted in by its user.
CREATE TABLE resumes (
    session TEXT NOT NULL PRIMARY KEY,
    root TEXT NOT NULL,
    is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    changed_at REAL NOT NULL
);

-- What was done about a limit of one. The row is the claim: there is one for each limit, and once `started_at` is set
-- nobody begins again. `fence` only grows. Figures that nobody knows are NULL.
CREATE TABLE resume_attempts (
    session TEXT NOT NULL,
    limit_id TEXT NOT NULL,
    limit_at REAL NOT NULL,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    outcome TEXT,
    resets_at REAL,
    points REAL,
    usd REAL,
    PRIMARY KEY (session, limit_id)
);
