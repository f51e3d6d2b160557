-- One row per message of a model that the client's transcripts hold. `served` is null where the client wrote the message
-- itself; a copy is what a fork took over from another transcript, or what is older than all we know of its session.
CREATE TABLE served (
    message_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session TEXT COLLATE "C" NOT NULL,
    prompt_id TEXT COLLATE "C",
    agent_id TEXT COLLATE "C",
    tool_use_id TEXT COLLATE "C",
    agent_type TEXT COLLATE "C",
    requested TEXT COLLATE "C",
    served TEXT COLLATE "C",
    ts TEXT COLLATE "C" NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    effort TEXT COLLATE "C",
    is_sidechain INTEGER NOT NULL,
    is_copy INTEGER NOT NULL,
    fallback_from TEXT COLLATE "C",
    after_error INTEGER NOT NULL,
    spawn_model TEXT COLLATE "C",
    parent_agent_id TEXT COLLATE "C"
);
CREATE INDEX served_by_prompt ON served (prompt_id) WHERE prompt_id IS NOT NULL;
CREATE INDEX served_by_ts ON served (ts);

CREATE INDEX events_by_session ON events (session, ts);
CREATE INDEX transcripts_told ON events (session)
WHERE type IN ('orchestration.session.start', 'orchestration.agent.end');

-- What a reader carries over to the next line of its file; null where every line stands for itself.
ALTER TABLE log_positions ADD COLUMN carried TEXT COLLATE "C";
