-- One row per event of the session logs. Days are UTC: `ts` is `2026-11-21T05:53:00.123Z`, so text order is time order.
CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    ts TEXT NOT NULL,
    type TEXT NOT NULL,
    session TEXT NOT NULL,
    prompt_id TEXT,
    actor TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX events_by_ts ON events (ts);
CREATE INDEX events_by_prompt ON events (session, prompt_id) WHERE prompt_id IS NOT NULL;
CREATE INDEX decisions_by_prompt ON events (session, prompt_id, ts) WHERE type = 'orchestration.prompt.decided';

-- One row per line of hook-errors.log, without message and traceback: they may quote a prompt.
CREATE TABLE hook_errors (
    id TEXT NOT NULL PRIMARY KEY,
    ts TEXT NOT NULL,
    event TEXT NOT NULL,
    session TEXT NOT NULL,
    stage TEXT NOT NULL,
    kind TEXT NOT NULL
);
CREATE INDEX hook_errors_by_ts ON hook_errors (ts);

-- How far each log has been read. A rotated log keeps its inode, so the rest of it is found under its new name.
CREATE TABLE log_positions (
    log TEXT NOT NULL,
    inode TEXT NOT NULL,
    read_bytes INTEGER NOT NULL,
    head TEXT NOT NULL,
    bad_lines INTEGER NOT NULL,
    last_ts TEXT,
    PRIMARY KEY (log, inode)
) WITHOUT ROWID;
