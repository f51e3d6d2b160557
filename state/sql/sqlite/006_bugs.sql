-- One row per bug, by what is the same each time it shows. `original` and `stack_trace` are what it was made from, so
-- that other rules can make it anew; `context` holds what the user gave beside them, as JSON.
CREATE TABLE bugs (
    bug_hash TEXT NOT NULL PRIMARY KEY,
    task_code TEXT,
    error_message TEXT NOT NULL,
    file_path TEXT,
    line_number INTEGER,
    error_type TEXT NOT NULL,
    occurrence_count INTEGER NOT NULL,
    captured_at TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    last_task_code TEXT,
    context TEXT NOT NULL,
    original TEXT NOT NULL,
    stack_trace TEXT NOT NULL,
    resolved_at TEXT,
    resolution TEXT
);
CREATE INDEX bugs_by_last_seen ON bugs (last_seen);

CREATE TABLE bug_tasks (
    bug_hash TEXT NOT NULL,
    task_code TEXT NOT NULL,
    occurrence_count INTEGER NOT NULL,
    PRIMARY KEY (bug_hash, task_code)
);
CREATE INDEX bug_tasks_by_task ON bug_tasks (task_code);

-- What is known now; what was known before is in the events.
CREATE TABLE knowledge (
    name TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL,
    discovered_by TEXT NOT NULL,
    source TEXT,
    task_code TEXT,
    recorded_at TEXT NOT NULL
);
CREATE INDEX events_by_knowledge ON events (entity_id, seq) WHERE entity_type = 'knowledge';

-- How far each sink has been told of the events, and how the event it is at now fares.
CREATE TABLE sinks (
    name TEXT NOT NULL PRIMARY KEY,
    told_seq INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at TEXT,
    problem TEXT
);

-- The events a sink did not take, whole: the events themselves may be archived.
CREATE TABLE dead_letters (
    sink TEXT NOT NULL,
    event_id TEXT NOT NULL,
    died_at TEXT NOT NULL,
    tries INTEGER NOT NULL,
    problem TEXT NOT NULL,
    letter TEXT NOT NULL,
    PRIMARY KEY (sink, event_id)
);
