-- name: sink
SELECT name, told_seq, delivered, tries, next_at, problem FROM sinks WHERE name = ?

-- name: begin_sink
INSERT INTO sinks (name, told_seq, delivered, tries, next_at, problem)
SELECT :name, coalesce(
    (SELECT min(seq) - 1 FROM events WHERE ts >= :since),
    (SELECT max(seq) FROM events),
    0
), 0, 0, NULL, NULL
WHERE NOT EXISTS (SELECT 1 FROM sinks WHERE name = :name)

-- name: advance_sink
UPDATE sinks SET told_seq = :told_seq, delivered = delivered + :delivered, tries = 0, next_at = NULL, problem = NULL
WHERE name = :name

-- name: hold_sink
UPDATE sinks SET tries = :tries, next_at = :next_at, problem = :problem WHERE name = :name

-- name: events_after
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE seq > ? ORDER BY seq LIMIT ?

-- name: count_events_after
SELECT count(*) FROM events WHERE seq > ?

-- name: bury_letter
INSERT INTO dead_letters (sink, event_id, died_at, tries, problem, letter)
VALUES (:sink, :event_id, :died_at, :tries, :problem, :letter)
ON CONFLICT (sink, event_id) DO UPDATE SET
    died_at = excluded.died_at, tries = excluded.tries, problem = excluded.problem

-- name: dead_letters
SELECT sink, event_id, died_at, tries, problem, letter FROM dead_letters ORDER BY sink, died_at, event_id

-- name: forget_letter
DELETE FROM dead_letters WHERE sink = ? AND event_id = ?
