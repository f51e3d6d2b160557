-- name: events_to_archive
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE ts < %s ORDER BY ts, seq LIMIT %s

-- name: count_events_to_archive
SELECT count(*), min(ts), max(ts) FROM events WHERE ts < %s

-- name: forget_event
DELETE FROM events WHERE seq = %s

-- name: seq_of_event
SELECT seq FROM events WHERE id = %s

-- name: keep_archive
INSERT INTO archives (name, first_ts, last_ts, events, size_bytes, sha256, made_at)
VALUES (%(name)s, %(first_ts)s, %(last_ts)s, %(events)s, %(size_bytes)s, %(sha256)s, %(made_at)s)
ON CONFLICT (name) DO NOTHING

-- name: archives
SELECT name, first_ts, last_ts, events, size_bytes, sha256, made_at FROM archives ORDER BY first_ts, name
