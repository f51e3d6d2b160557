-- name: events_listed
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE seq > %(after)s AND ts >= %(since)s AND ts < %(until)s
AND (%(type)s::text IS NULL OR type = %(type)s)
AND (%(prefix)s::text IS NULL OR left(type, length(%(prefix)s)) = %(prefix)s)
AND (%(session)s::text IS NULL OR session = %(session)s)
AND (%(task)s::text IS NULL OR task = %(task)s)
AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s)
AND (%(entity_id)s::text IS NULL OR entity_id = %(entity_id)s)
ORDER BY seq DESC LIMIT %(most)s

-- name: event_of_id
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE id = %(id)s

-- name: events_listed_of_type
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE type = %(type)s AND seq > %(after)s AND ts >= %(since)s AND ts < %(until)s
AND (%(session)s::text IS NULL OR session = %(session)s)
AND (%(task)s::text IS NULL OR task = %(task)s)
AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s)
AND (%(entity_id)s::text IS NULL OR entity_id = %(entity_id)s)
ORDER BY seq DESC LIMIT %(most)s

-- name: events_listed_of_entity
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE entity_type = %(entity_type)s AND entity_id = %(entity_id)s AND seq > %(after)s AND ts >= %(since)s AND ts < %(until)s
AND (%(type)s::text IS NULL OR type = %(type)s)
AND (%(prefix)s::text IS NULL OR left(type, length(%(prefix)s)) = %(prefix)s)
AND (%(session)s::text IS NULL OR session = %(session)s)
AND (%(task)s::text IS NULL OR task = %(task)s)
ORDER BY seq DESC LIMIT %(most)s

-- name: events_listed_of_session
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE session = %(session)s AND seq > %(after)s AND ts >= %(since)s AND ts < %(until)s
AND (%(type)s::text IS NULL OR type = %(type)s)
AND (%(prefix)s::text IS NULL OR left(type, length(%(prefix)s)) = %(prefix)s)
AND (%(task)s::text IS NULL OR task = %(task)s)
AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s)
AND (%(entity_id)s::text IS NULL OR entity_id = %(entity_id)s)
ORDER BY seq DESC LIMIT %(most)s

-- name: events_listed_of_task
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE task = %(task)s AND seq > %(after)s AND ts >= %(since)s AND ts < %(until)s
AND (%(type)s::text IS NULL OR type = %(type)s)
AND (%(prefix)s::text IS NULL OR left(type, length(%(prefix)s)) = %(prefix)s)
AND (%(session)s::text IS NULL OR session = %(session)s)
AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s)
AND (%(entity_id)s::text IS NULL OR entity_id = %(entity_id)s)
ORDER BY seq DESC LIMIT %(most)s
