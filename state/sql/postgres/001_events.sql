-- One row per event of the session logs. Days are UTC: `ts` is `2026-11-21T05:53:00.123Z`, so text order is time order.
-- COLLATE "C" everywhere: text is compared by its bytes, whatever the database was made with.
CREATE TABLE events (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ts TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    prompt_id TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    entity_type TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_by_ts ON events (ts);
CREATE INDEX events_by_prompt ON events (session, prompt_id) WHERE prompt_id IS NOT NULL;
CREATE INDEX decisions_by_prompt ON events (session, prompt_id, ts) WHERE type = 'orchestration.prompt.decided';

-- One row per line of hook-errors.log, without message and traceback: they may quote a prompt.
CREATE TABLE hook_errors (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ts TEXT COLLATE "C" NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL
);
CREATE INDEX hook_errors_by_ts ON hook_errors (ts);

-- How far each log has been read. A rotated log keeps its inode, so the rest of it is found under its new name.
CREATE TABLE log_positions (
    log TEXT COLLATE "C" NOT NULL,
    inode TEXT COLLATE "C" NOT NULL,
    read_bytes BIGINT NOT NULL,
    head TEXT COLLATE "C" NOT NULL,
    bad_lines BIGINT NOT NULL,
    last_ts TEXT COLLATE "C",
    PRIMARY KEY (log, inode)
);
