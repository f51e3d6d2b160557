-- name: index_events_after
INSERT INTO events_index (rowid, said, scope) SELECT seq, said, scope FROM event_texts WHERE seq > :after

-- name: unindex_events_before
INSERT INTO events_index (events_index, rowid, said, scope)
SELECT 'delete', seq, said, scope FROM event_texts WHERE seq IN (SELECT seq FROM events WHERE ts < ?)

-- name: unindex_event
INSERT INTO events_index (events_index, rowid, said, scope)
SELECT 'delete', seq, said, scope FROM event_texts WHERE seq = ?

-- name: events_matching
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, substr(e.payload, 1, 2048)
FROM events_index AS i JOIN events AS e ON e.seq = i.rowid
WHERE events_index MATCH :query AND e.ts >= :since
ORDER BY i.rowid DESC LIMIT :most

-- name: events_matching_in_sessions
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, substr(e.payload, 1, 2048)
FROM events_index AS i JOIN events AS e ON e.seq = i.rowid
WHERE events_index MATCH :query AND e.ts >= :since AND e.session IN (SELECT value FROM json_each(:among))
ORDER BY i.rowid DESC LIMIT :most

-- name: events_matching_in_tasks
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, substr(e.payload, 1, 2048)
FROM events_index AS i JOIN events AS e ON e.seq = i.rowid
WHERE events_index MATCH :query AND e.ts >= :since AND e.task IN (SELECT value FROM json_each(:among))
ORDER BY i.rowid DESC LIMIT :most

-- name: events_holding
SELECT seq, id, ts, type, session, task, entity_type, entity_id, substr(payload, 1, 2048)
FROM (SELECT * FROM events WHERE ts >= :since ORDER BY seq DESC LIMIT :newest) AS newest
WHERE type || ' ' || entity_id || ' ' || substr(payload, 1, 65536) LIKE :pattern ESCAPE '!'
ORDER BY seq DESC LIMIT :most

-- name: events_holding_in_sessions
SELECT seq, id, ts, type, session, task, entity_type, entity_id, substr(payload, 1, 2048)
FROM (
    SELECT * FROM events WHERE ts >= :since AND session IN (SELECT value FROM json_each(:among))
    ORDER BY seq DESC LIMIT :newest
) AS newest
WHERE type || ' ' || entity_id || ' ' || substr(payload, 1, 65536) LIKE :pattern ESCAPE '!'
ORDER BY seq DESC LIMIT :most

-- name: events_holding_in_tasks
SELECT seq, id, ts, type, session, task, entity_type, entity_id, substr(payload, 1, 2048)
FROM (
    SELECT * FROM events WHERE ts >= :since AND task IN (SELECT value FROM json_each(:among))
    ORDER BY seq DESC LIMIT :newest
) AS newest
WHERE type || ' ' || entity_id || ' ' || substr(payload, 1, 65536) LIKE :pattern ESCAPE '!'
ORDER BY seq DESC LIMIT :most

-- name: event_texts_of
SELECT seq, substr(payload, 1, 65536) FROM events WHERE seq IN (SELECT value FROM json_each(:among))

-- name: mark
SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events), (SELECT count(*) FROM archives)

-- name: mark_of_sessions
SELECT count(*), max(seq), (SELECT count(*) FROM archives)
FROM events WHERE session IN (SELECT value FROM json_each(:among))

-- name: mark_of_tasks
SELECT count(*), max(seq), (SELECT count(*) FROM archives)
FROM events WHERE task IN (SELECT value FROM json_each(:among))

-- name: span
SELECT count(*), min(ts), max(ts) FROM events WHERE ts >= :since

-- name: span_of_sessions
SELECT count(*), min(ts), max(ts) FROM events
WHERE ts >= :since AND session IN (SELECT value FROM json_each(:among))

-- name: span_of_tasks
SELECT count(*), min(ts), max(ts) FROM events WHERE ts >= :since AND task IN (SELECT value FROM json_each(:among))

-- name: types
SELECT type, count(*) FROM events WHERE ts >= :since GROUP BY type

-- name: types_of_sessions
SELECT type, count(*) FROM events
WHERE ts >= :since AND session IN (SELECT value FROM json_each(:among)) GROUP BY type

-- name: types_of_tasks
SELECT type, count(*) FROM events WHERE ts >= :since AND task IN (SELECT value FROM json_each(:among)) GROUP BY type

-- name: sessions_beginning
SELECT DISTINCT session FROM events WHERE session >= :low AND session < :high ORDER BY session LIMIT :most

-- name: is_task_told
SELECT EXISTS (SELECT 1 FROM events WHERE task = ?)
