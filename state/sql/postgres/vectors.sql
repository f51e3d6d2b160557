-- name: forget_vectors_before
DELETE FROM event_vectors WHERE seq IN (SELECT seq FROM events WHERE ts < %s)

-- name: forget_vector
DELETE FROM event_vectors WHERE seq = %s

-- name: events_without_vector
SELECT e.seq, left(e.payload, 4096)
FROM events AS e LEFT JOIN event_vectors AS v ON v.seq = e.seq
WHERE v.seq IS NULL AND e.seq > %(after)s ORDER BY e.seq DESC LIMIT %(most)s

-- name: add_vector
INSERT INTO event_vectors (seq, vector) VALUES (%s, %s) ON CONFLICT (seq) DO NOTHING

-- name: floor_of_newest
SELECT coalesce(min(seq), 0) - 1 FROM (SELECT seq FROM events ORDER BY seq DESC LIMIT %(newest)s) AS newest

-- name: vectors
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > %(after)s AND e.ts >= %(since)s

-- name: vectors_in_sessions
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > %(after)s AND e.ts >= %(since)s AND e.session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: vectors_in_tasks
SELECT v.seq, v.vector FROM event_vectors AS v JOIN events AS e ON e.seq = v.seq
WHERE v.seq > %(after)s AND e.ts >= %(since)s AND e.task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: events_by_seq
SELECT seq, id, ts, type, session, task, entity_type, entity_id, left(payload, 2048)
FROM events WHERE seq = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)::bigint))
