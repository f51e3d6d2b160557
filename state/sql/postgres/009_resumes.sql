-- Sessions of the client that may go on by themselves after a limit: each was opted in by its user.
CREATE TABLE resumes (
    session TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    root TEXT COLLATE "C" NOT NULL,
    is_on BIGINT NOT NULL CHECK (is_on IN (0, 1)),
    changed_at DOUBLE PRECISION NOT NULL
);

-- What was done about a limit of one. The row is the claim: there is one for each limit, and once `started_at` is set
-- nobody begins again. `fence` only grows. Figures that nobody knows are NULL.
CREATE TABLE resume_attempts (
    session TEXT COLLATE "C" NOT NULL,
    limit_id TEXT COLLATE "C" NOT NULL,
    limit_at DOUBLE PRECISION NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION,
    ended_at DOUBLE PRECISION,
    outcome TEXT COLLATE "C",
    resets_at DOUBLE PRECISION,
    points DOUBLE PRECISION,
    usd DOUBLE PRECISION,
    PRIMARY KEY (session, limit_id)
);
