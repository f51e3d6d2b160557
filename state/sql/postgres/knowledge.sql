-- name: keep_knowledge
INSERT INTO knowledge (name, content, discovered_by, source, task_code, recorded_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET
    content = excluded.content, discovered_by = excluded.discovered_by, source = excluded.source,
    task_code = excluded.task_code, recorded_at = excluded.recorded_at

-- name: knowledge_of
SELECT name, content, discovered_by, source, task_code, recorded_at FROM knowledge WHERE name = %s

-- name: knowledge_between
SELECT name, content, discovered_by, source, task_code, recorded_at FROM knowledge
WHERE name >= %(low)s AND name < %(high)s

-- name: forget_knowledge
DELETE FROM knowledge WHERE name = %s

-- name: knowledge_events
SELECT id, ts, type, session, prompt_id, actor, entity_type, entity_id, payload, task, correlation
FROM events WHERE entity_type = 'knowledge' AND entity_id = %s ORDER BY seq
