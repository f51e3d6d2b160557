-- name: add_served
INSERT INTO served (
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
) VALUES (
    %(message_id)s, %(session)s, %(prompt_id)s, %(agent_id)s, %(tool_use_id)s, %(agent_type)s, %(requested)s, %(served)s, %(ts)s, %(input_tokens)s, %(output_tokens)s,
    %(cache_read_tokens)s, %(cache_write_tokens)s, %(effort)s, %(is_sidechain)s, %(is_copy)s, %(fallback_from)s, %(after_error)s, %(spawn_model)s, %(parent_agent_id)s
)
ON CONFLICT (message_id) DO NOTHING

-- name: claim_served
UPDATE served SET
    session = %(session)s, prompt_id = %(prompt_id)s, agent_id = %(agent_id)s, tool_use_id = %(tool_use_id)s, agent_type = %(agent_type)s,
    requested = %(requested)s, served = %(served)s, effort = %(effort)s, is_sidechain = %(is_sidechain)s, is_copy = %(is_copy)s,
    fallback_from = %(fallback_from)s, after_error = %(after_error)s, spawn_model = %(spawn_model)s, parent_agent_id = %(parent_agent_id)s
WHERE message_id = %(message_id)s
AND (%(is_copy)s, %(is_sidechain)s, %(session)s, coalesce(%(agent_id)s, '')) < (is_copy, is_sidechain, session, coalesce(agent_id, ''))

-- name: complete_served
UPDATE served SET
    ts = least(ts, %(ts)s),
    input_tokens = greatest(input_tokens, %(input_tokens)s),
    output_tokens = greatest(output_tokens, %(output_tokens)s),
    cache_read_tokens = greatest(cache_read_tokens, %(cache_read_tokens)s),
    cache_write_tokens = greatest(cache_write_tokens, %(cache_write_tokens)s)
WHERE message_id = %(message_id)s
AND (
    %(ts)s < ts OR %(input_tokens)s > input_tokens OR %(output_tokens)s > output_tokens
    OR %(cache_read_tokens)s > cache_read_tokens OR %(cache_write_tokens)s > cache_write_tokens
)

-- name: served_between
WITH own AS (
    SELECT DISTINCT prompt_id FROM events AS decided
    WHERE type = 'orchestration.prompt.decided' AND ts >= %(since)s AND ts < %(until)s AND prompt_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events AS earlier
        WHERE earlier.type = 'orchestration.prompt.decided' AND earlier.ts < %(since)s
        AND earlier.session = decided.session AND earlier.prompt_id = decided.prompt_id
    )
)
SELECT
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
FROM own JOIN served USING (prompt_id)
UNION ALL
SELECT
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
FROM served AS loose
WHERE ts >= %(since)s AND ts < %(until)s
AND NOT EXISTS (
    SELECT 1 FROM events AS decided
    WHERE decided.type = 'orchestration.prompt.decided'
    AND decided.session = loose.session AND decided.prompt_id = loose.prompt_id
)

-- name: served_of
SELECT
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
FROM served WHERE prompt_id = %s ORDER BY ts, message_id

-- name: time_of_prompt
SELECT min(ts) FROM (
    SELECT ts FROM events WHERE prompt_id = %(prompt_id)s
    UNION ALL
    SELECT ts FROM served WHERE prompt_id = %(prompt_id)s
) AS known

-- name: transcripts
SELECT session, path, (SELECT min(ts) FROM events AS known WHERE known.session = told.session) AS since
FROM (
    SELECT DISTINCT session, payload::json ->> 'transcript_path' AS path FROM events
    WHERE type IN ('orchestration.session.start', 'orchestration.agent.end')
) AS told
WHERE path IS NOT NULL

-- name: transcript_positions
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE carried IS NOT NULL AND machine = %s

-- name: forget_served_before
DELETE FROM served WHERE ts < %s
