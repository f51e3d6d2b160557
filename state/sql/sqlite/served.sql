-- name: add_served
INSERT INTO served (
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
) VALUES (
    :message_id, :session, :prompt_id, :agent_id, :tool_use_id, :agent_type, :requested, :served, :ts, :input_tokens, :output_tokens,
    :cache_read_tokens, :cache_write_tokens, :effort, :is_sidechain, :is_copy, :fallback_from, :after_error, :spawn_model, :parent_agent_id
)
ON CONFLICT (message_id) DO NOTHING

-- name: claim_served
UPDATE served SET
    session = :session, prompt_id = :prompt_id, agent_id = :agent_id, tool_use_id = :tool_use_id, agent_type = :agent_type,
    requested = :requested, served = :served, effort = :effort, is_sidechain = :is_sidechain, is_copy = :is_copy,
    fallback_from = :fallback_from, after_error = :after_error, spawn_model = :spawn_model, parent_agent_id = :parent_agent_id
WHERE message_id = :message_id
AND (:is_copy, :is_sidechain, :session, coalesce(:agent_id, '')) < (is_copy, is_sidechain, session, coalesce(agent_id, ''))

-- name: complete_served
UPDATE served SET
    ts = min(ts, :ts),
    input_tokens = max(input_tokens, :input_tokens),
    output_tokens = max(output_tokens, :output_tokens),
    cache_read_tokens = max(cache_read_tokens, :cache_read_tokens),
    cache_write_tokens = max(cache_write_tokens, :cache_write_tokens)
WHERE message_id = :message_id
AND (
    :ts < ts OR :input_tokens > input_tokens OR :output_tokens > output_tokens
    OR :cache_read_tokens > cache_read_tokens OR :cache_write_tokens > cache_write_tokens
)

-- name: served_between
WITH own AS (
    SELECT DISTINCT prompt_id FROM events AS decided
    WHERE type = 'orchestration.prompt.decided' AND ts >= :since AND ts < :until AND prompt_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events AS earlier
        WHERE earlier.type = 'orchestration.prompt.decided' AND earlier.ts < :since
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
WHERE ts >= :since AND ts < :until
AND NOT EXISTS (
    SELECT 1 FROM events AS decided
    WHERE decided.type = 'orchestration.prompt.decided'
    AND decided.session = loose.session AND decided.prompt_id = loose.prompt_id
)

-- name: served_of
SELECT
    message_id, session, prompt_id, agent_id, tool_use_id, agent_type, requested, served, ts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, effort, is_sidechain, is_copy, fallback_from, after_error, spawn_model, parent_agent_id
FROM served WHERE prompt_id = ? ORDER BY ts, message_id

-- name: time_of_prompt
SELECT min(ts) FROM (
    SELECT ts FROM events WHERE prompt_id = :prompt_id
    UNION ALL
    SELECT ts FROM served WHERE prompt_id = :prompt_id
)

-- name: transcripts
SELECT
    session,
    json_extract(payload, '$.transcript_path') AS path,
    (SELECT min(ts) FROM events AS known WHERE known.session = told.session) AS since
FROM events AS told
WHERE type IN ('orchestration.session.start', 'orchestration.agent.end') AND path IS NOT NULL
GROUP BY session, path

-- name: transcript_positions
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE carried IS NOT NULL AND machine = ?

-- name: forget_served_before
DELETE FROM served WHERE ts < ?
