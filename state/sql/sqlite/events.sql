-- name: add_event
INSERT INTO events (id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: add_hook_error
INSERT INTO hook_errors (id, ts, event, session, stage, kind) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING

-- name: events_between
WITH own AS (
    SELECT DISTINCT session, prompt_id FROM events AS decided
    WHERE type = 'orchestration.prompt.decided' AND ts >= :since AND ts < :until AND prompt_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM events AS earlier
        WHERE earlier.type = 'orchestration.prompt.decided' AND earlier.ts < :since
        AND earlier.session = decided.session AND earlier.prompt_id = decided.prompt_id
    )
)
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM own JOIN events USING (session, prompt_id)
UNION ALL
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events AS loose
WHERE ts >= :since AND ts < :until
AND NOT EXISTS (
    SELECT 1 FROM events AS decided
    WHERE decided.type = 'orchestration.prompt.decided'
    AND decided.session = loose.session AND decided.prompt_id = loose.prompt_id
)

-- name: hook_errors_between
SELECT id, ts, event, session, stage, kind FROM hook_errors WHERE ts >= :since AND ts < :until ORDER BY ts, id

-- name: count_before
SELECT
    (SELECT count(*) FROM events WHERE ts < :ts),
    (SELECT count(*) FROM hook_errors WHERE ts < :ts),
    (SELECT count(*) FROM served WHERE ts < :ts)

-- name: forget_events_before
DELETE FROM events WHERE ts < ?

-- name: forget_hook_errors_before
DELETE FROM hook_errors WHERE ts < ?

-- name: bad_lines
SELECT coalesce(sum(bad_lines), 0) FROM log_positions WHERE carried IS NULL

-- name: positions
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE carried IS NULL AND machine = ?

-- name: position
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM log_positions
WHERE machine = ? AND log = ? AND inode = ?

-- name: keep_position
INSERT INTO log_positions (machine, log, inode, read_bytes, head, bad_lines, last_ts, carried)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (machine, log, inode) DO UPDATE SET
    read_bytes = excluded.read_bytes, head = excluded.head, bad_lines = excluded.bad_lines, last_ts = excluded.last_ts,
    carried = excluded.carried

-- name: forget_position
DELETE FROM log_positions WHERE machine = ? AND log = ? AND inode = ?

-- name: unowned_positions
SELECT count(*) FROM log_positions WHERE machine = ''

-- name: own_positions
UPDATE log_positions SET machine = :machine
WHERE machine = '' AND NOT EXISTS (
    SELECT 1 FROM log_positions AS mine
    WHERE mine.machine = :machine AND mine.log = log_positions.log AND mine.inode = log_positions.inode
)

-- name: forget_unowned_positions
DELETE FROM log_positions WHERE machine = ''

-- name: newest_seq
SELECT coalesce(max(seq), 0) FROM events
