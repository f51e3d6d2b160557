-- name: index_events_after
SELECT 1 WHERE %(after)s::bigint IS NULL

-- name: unindex_events_before
SELECT 1 WHERE %s::text IS NULL

-- name: unindex_event
SELECT 1 WHERE %s::bigint IS NULL

-- name: events_matching
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, left(e.payload, 2048)
FROM events AS e
WHERE e.words @@ to_tsquery('simple', %(query)s) AND e.ts >= %(since)s
ORDER BY e.seq DESC LIMIT %(most)s

-- OFFSET 0: a scope has its own index, and is nearly always less than what has the words.
-- name: events_matching_in_sessions
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, left(e.payload, 2048)
FROM (
    SELECT * FROM events WHERE session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json))) OFFSET 0
) AS e
WHERE e.words @@ to_tsquery('simple', %(query)s) AND e.ts >= %(since)s
ORDER BY e.seq DESC LIMIT %(most)s

-- name: events_matching_in_tasks
SELECT e.seq, e.id, e.ts, e.type, e.session, e.task, e.entity_type, e.entity_id, left(e.payload, 2048)
FROM (
    SELECT * FROM events WHERE task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json))) OFFSET 0
) AS e
WHERE e.words @@ to_tsquery('simple', %(query)s) AND e.ts >= %(since)s
ORDER BY e.seq DESC LIMIT %(most)s

-- name: events_holding
SELECT seq, id, ts, type, session, task, entity_type, entity_id, left(payload, 2048)
FROM (SELECT * FROM events WHERE ts >= %(since)s ORDER BY seq DESC LIMIT %(newest)s) AS newest
WHERE type || ' ' || entity_id || ' ' || left(payload, 65536) ILIKE %(pattern)s ESCAPE '!'
ORDER BY seq DESC LIMIT %(most)s

-- name: events_holding_in_sessions
SELECT seq, id, ts, type, session, task, entity_type, entity_id, left(payload, 2048)
FROM (
    SELECT * FROM events WHERE ts >= %(since)s AND session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))
    ORDER BY seq DESC LIMIT %(newest)s
) AS newest
WHERE type || ' ' || entity_id || ' ' || left(payload, 65536) ILIKE %(pattern)s ESCAPE '!'
ORDER BY seq DESC LIMIT %(most)s

-- name: events_holding_in_tasks
SELECT seq, id, ts, type, session, task, entity_type, entity_id, left(payload, 2048)
FROM (
    SELECT * FROM events WHERE ts >= %(since)s AND task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))
    ORDER BY seq DESC LIMIT %(newest)s
) AS newest
WHERE type || ' ' || entity_id || ' ' || left(payload, 65536) ILIKE %(pattern)s ESCAPE '!'
ORDER BY seq DESC LIMIT %(most)s

-- name: event_texts_of
SELECT seq, left(payload, 65536) FROM events WHERE seq = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)::bigint))

-- name: mark
SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events), (SELECT count(*) FROM archives)

-- name: mark_of_sessions
SELECT count(*), max(seq), (SELECT count(*) FROM archives)
FROM events WHERE session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: mark_of_tasks
SELECT count(*), max(seq), (SELECT count(*) FROM archives)
FROM events WHERE task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: span
SELECT count(*), min(ts), max(ts) FROM events WHERE ts >= %(since)s

-- name: span_of_sessions
SELECT count(*), min(ts), max(ts) FROM events
WHERE ts >= %(since)s AND session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: span_of_tasks
SELECT count(*), min(ts), max(ts) FROM events WHERE ts >= %(since)s AND task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json)))

-- name: types
SELECT type, count(*) FROM events WHERE ts >= %(since)s GROUP BY type

-- name: types_of_sessions
SELECT type, count(*) FROM events
WHERE ts >= %(since)s AND session = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json))) GROUP BY type

-- name: types_of_tasks
SELECT type, count(*) FROM events WHERE ts >= %(since)s AND task = ANY (ARRAY(SELECT json_array_elements_text(%(among)s::json))) GROUP BY type

-- name: sessions_beginning
SELECT DISTINCT session FROM events WHERE session >= %(low)s AND session < %(high)s ORDER BY session LIMIT %(most)s

-- name: is_task_told
SELECT EXISTS (SELECT 1 FROM events WHERE task = %s)
