-- A task's session, its commits, artifacts and pull request are in its metadata; `task_sessions` has every session once.
CREATE TABLE sprints (
    code TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('planning', 'active', 'completed', 'on_hold')),
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE tasks (
    code TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    sprint TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed', 'blocked')),
    priority TEXT NOT NULL CHECK (priority IN ('P0', 'P1', 'P2', 'P3')),
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX tasks_by_sprint ON tasks (sprint) WHERE sprint IS NOT NULL;

CREATE TABLE task_sessions (
    session_key TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT CHECK (outcome IN ('completed', 'forced', 'replaced'))
);
CREATE INDEX task_sessions_by_task ON task_sessions (task, started_at);
