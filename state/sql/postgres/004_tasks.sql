-- A task's session, its commits, artifacts and pull request are in its metadata; `task_sessions` has every session once.
CREATE TABLE sprints (
    code TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('planning', 'active', 'completed', 'on_hold')),
    metadata TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    updated_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE tasks (
    code TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    sprint TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed', 'blocked')),
    priority TEXT COLLATE "C" NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    metadata TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL,
    updated_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX tasks_by_sprint ON tasks (sprint) WHERE sprint IS NOT NULL;

CREATE TABLE task_sessions (
    session_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    task TEXT COLLATE "C" NOT NULL,
    started_at TEXT COLLATE "C" NOT NULL,
    ended_at TEXT COLLATE "C",
    outcome TEXT COLLATE "C" CHECK (outcome IN ('completed', 'forced', 'replaced'))
);
CREATE INDEX task_sessions_by_task ON task_sessions (task, started_at);
