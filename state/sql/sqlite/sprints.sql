-- name: add_sprint
INSERT INTO sprints (code, title, status, metadata, created_at, updated_at)
VALUES (:code, :title, :status, :metadata, :created_at, :updated_at)
ON CONFLICT (code) DO NOTHING

-- name: sprint
SELECT code, title, status, metadata, created_at, updated_at FROM sprints WHERE code = :code

-- name: sprints
SELECT code, title, status, metadata, created_at, updated_at FROM sprints
WHERE :status IS NULL OR status = :status
ORDER BY created_at DESC, code

-- name: revise_sprint
UPDATE sprints SET
    title = :title, status = :status, metadata = :metadata, created_at = :created_at, updated_at = :updated_at
WHERE code = :code
