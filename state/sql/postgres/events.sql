-- name: add_event
INSERT INTO events (id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING

-- name: add_hook_error
INSERT INTO hook_errors (id, ts, event, session, stage, kind) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING

-- name: events_between
WITH own AS (
    SELECT DISTINCT session, prompt_id FROM events AS decided
    WHERE type = 'orchestration.prompt.decided' AND ts >= %(since)s AND ts < %(until)s AND prompt_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events AS earlier
        WHERE earlier.type = 'orchestration.prompt.decided' AND earlier.ts < %(since)s
        AND earlier.session = decided.session AND earlier.prompt_id = decided.prompt_id
    )
)
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM own JOIN events USING (session, prompt_id)
UNION ALL
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events AS loose
WHERE ts >= %(since)s AND ts < %(until)s
AND NOT EXISTS (
    SELECT 1 FROM events AS decided
    WHERE decided.type = 'orchestration.prompt.decided'
    AND decided.session = loose.session AND decided.prompt_id = loose.prompt_id
)

-- name: hook_errors_between
SELECT id, ts, event, session, stage, kind FROM hook_errors WHERE ts >= %(since)s AND ts < %(until)s ORDER BY ts, id

-- name: count_before
SELECT
    (SELECT count(*) FROM events WHERE ts < %(ts)s),
    (SELECT count(*) FROM hook_errors WHERE ts < %(ts)s),
    (SELECT count(*) FROM served WHERE ts < %(ts)s)

-- name: forget_events_before
DELETE FROM events WHERE ts < %s

-- name: forget_hook_errors_before
DELETE FROM hook_errors WHERE ts < %s

-- name: bad_lines
SELECT coalesce(sum(bad_lines), 0)::bigint FROM log_positions WHERE carried IS NULL

-- name: positions
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE carried IS NULL AND machine = %s

-- name: position
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE machine = %s AND log = %s AND inode = %s

-- name: keep_position
INSERT INTO log_positions (machine, log, inode, read_bytes, head, bad_lines, last_ts, carried)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (machine, log, inode) DO UPDATE SET
    read_bytes = excluded.read_bytes, head = excluded.head, bad_lines = excluded.bad_lines, last_ts = excluded.last_ts,
    carried = excluded.carried

-- name: forget_position
DELETE FROM log_positions WHERE machine = %s AND log = %s AND inode = %s

-- name: unowned_positions
SELECT count(*) FROM log_positions WHERE machine = ''

-- name: own_positions
UPDATE log_positions SET machine = %(machine)s
WHERE machine = '' AND NOT EXISTS (
    SELECT 1 FROM log_positions AS mine
    WHERE mine.machine = %(machine)s AND mine.log = log_positions.log AND mine.inode = log_positions.inode
)

-- name: forget_unowned_positions
DELETE FROM log_positions WHERE machine = ''

-- name: newest_seq
SELECT coalesce(max(seq), 0) FROM events
