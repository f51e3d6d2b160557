-- One row per bug, by what is the same each time it shows. `original` and `stack_trace` are what it was made from, so
-- that other rules can make it anew; `context` holds what the user gave beside them, as JSON.
CREATE TABLE bugs (
    bug_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    task_code TEXT COLLATE "C",
    error_message TEXT COLLATE "C" NOT NULL,
    file_path TEXT COLLATE "C",
    line_number BIGINT,
    error_type TEXT COLLATE "C" NOT NULL,
    occurrence_count BIGINT NOT NULL,
    captured_at TEXT COLLATE "C" NOT NULL,
    last_seen TEXT COLLATE "C" NOT NULL,
    last_task_code TEXT COLLATE "C",
    context TEXT COLLATE "C" NOT NULL,
    original TEXT COLLATE "C" NOT NULL,
    stack_trace TEXT COLLATE "C" NOT NULL,
    resolved_at TEXT COLLATE "C",
    resolution TEXT COLLATE "C"
);
CREATE INDEX bugs_by_last_seen ON bugs (last_seen);

CREATE TABLE bug_tasks (
    bug_hash TEXT COLLATE "C" NOT NULL,
    task_code TEXT COLLATE "C" NOT NULL,
    occurrence_count BIGINT NOT NULL,
    PRIMARY KEY (bug_hash, task_code)
);
CREATE INDEX bug_tasks_by_task ON bug_tasks (task_code);

-- What is known now; what was known before is in the events.
CREATE TABLE knowledge (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    content TEXT COLLATE "C" NOT NULL,
    discovered_by TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C",
    task_code TEXT COLLATE "C",
    recorded_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_by_knowledge ON events (entity_id, seq) WHERE entity_type = 'knowledge';

-- How far each sink has been told of the events, and how the event it is at now fares.
CREATE TABLE sinks (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    told_seq BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    next_at TEXT COLLATE "C",
    problem TEXT COLLATE "C"
);

-- The events a sink did not take, whole: the events themselves may be archived.
CREATE TABLE dead_letters (
    sink TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    died_at TEXT COLLATE "C" NOT NULL,
    tries INTEGER NOT NULL,
    problem TEXT COLLATE "C" NOT NULL,
    letter TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sink, event_id)
);
