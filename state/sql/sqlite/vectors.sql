-- name: forget_vectors_before
DELETE FROM event_vectors WHERE seq IN (SELECT seq FROM events WHERE ts < ?)

-- name: forget_vector
DELETE FROM event_vectors WHERE seq = ?

-- name: events_without_vector
SELECT e.seq, substr(e.payload, 1, 4096)
FROM events AS e LEFT JOIN event_vectors AS v ON v.seq = e.seq
WHERE v.seq IS NULL AND e.seq > :after ORDER BY e.seq DESC LIMIT :most

-- name: add_vector
INSERT INTO event_vectors (seq, vector) VALUES (?, ?) ON CONFLICT (seq) DO NOTHING

-- name: floor_of_newest
SELECT coalesce(min(seq), 0) - 1 FROM (SELECT seq FROM events ORDER BY seq DESC LIMIT :newest) AS newest

-- name: vectors
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > :after AND e.ts >= :since

-- name: vectors_in_sessions
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > :after AND e.ts >= :since AND e.session IN (SELECT value FROM json_each(:among))

-- name: vectors_in_tasks
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > :after AND e.ts >= :since AND e.task IN (SELECT value FROM json_each(:among))

-- name: events_by_seq
SELECT seq, id, ts, type, session, task, entity_type, entity_id, substr(payload, 1, 2048)
FROM events WHERE seq IN (SELECT value FROM json_each(:among))
