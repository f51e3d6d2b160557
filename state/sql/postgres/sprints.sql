-- name: add_sprint
INSERT INTO sprints (code, title, status, metadata, created_at, updated_at)
VALUES (%(code)s, %(title)s, %(status)s, %(metadata)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (code) DO NOTHING

-- name: sprint
SELECT code, title, status, metadata, created_at, updated_at FROM sprints WHERE code = %(code)s

-- name: sprints
SELECT code, title, status, metadata, created_at, updated_at FROM sprints
WHERE %(status)s::text IS NULL OR status = %(status)s
ORDER BY created_at DESC, code

-- name: revise_sprint
UPDATE sprints SET
    title = %(title)s, status = %(status)s, metadata = %(metadata)s, created_at = %(created_at)s, updated_at = %(updated_at)s
WHERE code = %(code)s
