-- name: add_task
INSERT INTO tasks (code, title, description, sprint, status, priority, metadata, created_at, updated_at)
VALUES (%(code)s, %(title)s, %(description)s, %(sprint)s, %(status)s, %(priority)s, %(metadata)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (code) DO NOTHING

-- name: task
SELECT code, title, description, sprint, status, priority, metadata, created_at, updated_at
FROM tasks WHERE code = %(code)s

-- name: tasks
SELECT code, title, description, sprint, status, priority, metadata, created_at, updated_at
FROM tasks
WHERE (%(sprint)s::text IS NULL OR sprint = %(sprint)s) AND (%(status)s::text IS NULL OR status = %(status)s)
ORDER BY priority, created_at DESC, code

-- name: revise_task
UPDATE tasks SET
    title = %(title)s, description = %(description)s, sprint = %(sprint)s, status = %(status)s, priority = %(priority)s,
    metadata = %(metadata)s, created_at = %(created_at)s, updated_at = %(updated_at)s
WHERE code = %(code)s

-- name: keep_task_session
INSERT INTO task_sessions (session_key, task, started_at, ended_at, outcome)
VALUES (%(session_key)s, %(task)s, %(started_at)s, %(ended_at)s, %(outcome)s)
ON CONFLICT (session_key) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome

-- name: task_sessions
SELECT session_key, task, started_at, ended_at, outcome FROM task_sessions
WHERE task = %(task)s ORDER BY started_at, session_key

-- name: task_session
SELECT session_key, task, started_at, ended_at, outcome FROM task_sessions WHERE session_key = %(session_key)s
