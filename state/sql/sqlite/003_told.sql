-- Every event has a number that only grows: what follows, caches and searches the newest first counts by it.
-- `task` is the code of the task that the event belongs to, `correlation` what one call of a command has in common.
CREATE TABLE told (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    ts TEXT NOT NULL,
    type TEXT NOT NULL,
    session TEXT NOT NULL,
    prompt_id TEXT,
    actor TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    task TEXT,
    correlation TEXT
);
INSERT INTO told (id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload)
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload FROM events ORDER BY ts, id;
DROP TABLE events;
ALTER TABLE told RENAME TO events;
CREATE INDEX events_by_ts ON events (ts);
CREATE INDEX events_by_prompt ON events (session, prompt_id) WHERE prompt_id IS NOT NULL;
CREATE INDEX decisions_by_prompt ON events (session, prompt_id, ts) WHERE type = 'orchestration.prompt.decided';
CREATE INDEX events_by_session ON events (session, ts);
CREATE INDEX transcripts_told ON events (session)
WHERE type IN ('orchestration.session.start', 'orchestration.agent.end');
CREATE INDEX events_by_task ON events (task, seq) WHERE task IS NOT NULL;
