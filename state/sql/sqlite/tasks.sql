-- name: add_task
INSERT INTO tasks (code, title, description, sprint, status, priority, metadata, created_at, updated_at)
VALUES (:code, :title, :description, :sprint, :status, :priority, :metadata, :created_at, :updated_at)
ON CONFLICT (code) DO NOTHING

-- name: task
SELECT code, title, description, sprint, status, priority, metadata, created_at, updated_at
FROM tasks WHERE code = :code

-- name: tasks
SELECT code, title, description, sprint, status, priority, metadata, created_at, updated_at
FROM tasks
WHERE (:sprint IS NULL OR sprint = :sprint) AND (:status IS NULL OR status = :status)
ORDER BY priority, created_at DESC, code

-- name: revise_task
UPDATE tasks SET
    title = :title, description = :description, sprint = :sprint, status = :status, priority = :priority,
    metadata = :metadata, created_at = :created_at, updated_at = :updated_at
WHERE code = :code

-- name: keep_task_session
INSERT INTO task_sessions (session_key, task, started_at, ended_at, outcome)
VALUES (:session_key, :task, :started_at, :ended_at, :outcome)
ON CONFLICT (session_key) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome

-- name: task_sessions
SELECT session_key, task, started_at, ended_at, outcome FROM task_sessions
WHERE task = :task ORDER BY started_at, session_key

-- name: task_session
SELECT session_key, task, started_at, ended_at, outcome FROM task_sessions WHERE session_key = :session_key
