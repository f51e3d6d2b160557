-- name: sink
SELECT name, told_seq, delivered, tries, next_at, problem FROM sinks WHERE name = %s

-- name: begin_sink
INSERT INTO sinks (name, told_seq, delivered, tries, next_at, problem)
SELECT %(name)s::text, coalesce(
    (SELECT min(seq) - 1 FROM events WHERE ts >= %(since)s),
    (SELECT max(seq) FROM events),
    0
), 0, 0, NULL, NULL
WHERE NOT EXISTS (SELECT 1 FROM sinks WHERE name = %(name)s)

-- name: advance_sink
UPDATE sinks SET told_seq = %(told_seq)s, delivered = delivered + %(delivered)s, tries = 0, next_at = NULL, problem = NULL
WHERE name = %(name)s

-- name: hold_sink
UPDATE sinks SET tries = %(tries)s, next_at = %(next_at)s, problem = %(problem)s WHERE name = %(name)s

-- name: events_after
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE seq > %s ORDER BY seq LIMIT %s

-- name: count_events_after
SELECT count(*) FROM events WHERE seq > %s

-- name: bury_letter
INSERT INTO dead_letters (sink, event_id, died_at, tries, problem, letter)
VALUES (%(sink)s, %(event_id)s, %(died_at)s, %(tries)s, %(problem)s, %(letter)s)
ON CONFLICT (sink, event_id) DO UPDATE SET
    died_at = excluded.died_at, tries = excluded.tries, problem = excluded.problem

-- name: dead_letters
SELECT sink, event_id, died_at, tries, problem, letter FROM dead_letters ORDER BY sink, died_at, event_id

-- name: forget_letter
DELETE FROM dead_letters WHERE sink = %s AND event_id = %s
