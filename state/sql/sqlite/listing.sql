-- name: events_listed
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE seq > :after AND ts >= :since AND ts < :until
AND (:type IS NULL OR type = :type)
AND (:prefix IS NULL OR substr(type, 1, length(:prefix)) = :prefix)
AND (:session IS NULL OR session = :session)
AND (:task IS NULL OR task = :task)
AND (:entity_type IS NULL OR entity_type = :entity_type)
AND (:entity_id IS NULL OR entity_id = :entity_id)
ORDER BY seq DESC LIMIT :most

-- name: event_of_id
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE id = :id

-- name: events_listed_of_type
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE type = :type AND seq > :after AND ts >= :since AND ts < :until
AND (:session IS NULL OR session = :session)
AND (:task IS NULL OR task = :task)
AND (:entity_type IS NULL OR entity_type = :entity_type)
AND (:entity_id IS NULL OR entity_id = :entity_id)
ORDER BY seq DESC LIMIT :most

-- name: events_listed_of_entity
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE entity_type = :entity_type AND entity_id = :entity_id AND seq > :after AND ts >= :since AND ts < :until
AND (:type IS NULL OR type = :type)
AND (:prefix IS NULL OR substr(type, 1, length(:prefix)) = :prefix)
AND (:session IS NULL OR session = :session)
AND (:task IS NULL OR task = :task)
ORDER BY seq DESC LIMIT :most

-- name: events_listed_of_session
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE session = :session AND seq > :after AND ts >= :since AND ts < :until
AND (:type IS NULL OR type = :type)
AND (:prefix IS NULL OR substr(type, 1, length(:prefix)) = :prefix)
AND (:task IS NULL OR task = :task)
AND (:entity_type IS NULL OR entity_type = :entity_type)
AND (:entity_id IS NULL OR entity_id = :entity_id)
ORDER BY seq DESC LIMIT :most

-- name: events_listed_of_task
SELECT seq, id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events
WHERE task = :task AND seq > :after AND ts >= :since AND ts < :until
AND (:type IS NULL OR type = :type)
AND (:prefix IS NULL OR substr(type, 1, length(:prefix)) = :prefix)
AND (:session IS NULL OR session = :session)
AND (:entity_type IS NULL OR entity_type = :entity_type)
AND (:entity_id IS NULL OR entity_id = :entity_id)
ORDER BY seq DESC LIMIT :most
