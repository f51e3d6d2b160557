-- name: opt_resume
INSERT INTO resumes (session, root, is_on, changed_at) VALUES (:session, :root, :is_on, :now)
ON CONFLICT (session) DO UPDATE SET
    root = excluded.root, is_on = excluded.is_on, changed_at = excluded.changed_at

-- name: opted_resumes
SELECT session, root, is_on, changed_at FROM resumes ORDER BY changed_at, session

-- name: resume_attempts
SELECT session, limit_id, limit_at, owner, fence, expires_at, started_at, ended_at, outcome, resets_at, points, usd
FROM resume_attempts ORDER BY limit_at, session, limit_id

-- name: claim_resume
INSERT INTO resume_attempts (session, limit_id, limit_at, owner, fence, expires_at)
SELECT :session, :limit_id, :limit_at, :owner, 1, :expires_at
WHERE EXISTS (SELECT 1 FROM resumes WHERE session = :session AND is_on = 1)
ON CONFLICT (session, limit_id) DO UPDATE SET
    owner = excluded.owner, fence = resume_attempts.fence + 1, expires_at = excluded.expires_at
WHERE resume_attempts.started_at IS NULL
    AND (resume_attempts.expires_at <= :now OR resume_attempts.expires_at > :furthest)

-- name: resume_fence
SELECT fence FROM resume_attempts WHERE session = :session AND limit_id = :limit_id

-- name: begin_resume
UPDATE resume_attempts SET started_at = :now
WHERE session = :session AND limit_id = :limit_id AND fence = :fence AND started_at IS NULL AND expires_at > :now
    AND EXISTS (SELECT 1 FROM resumes WHERE session = :session AND is_on = 1)

-- name: release_resume
UPDATE resume_attempts SET expires_at = :now
WHERE session = :session AND limit_id = :limit_id AND fence = :fence AND started_at IS NULL

-- name: finish_resume
UPDATE resume_attempts SET
    ended_at = :now, outcome = :outcome, resets_at = :resets_at, points = :points, usd = :usd
WHERE session = :session AND limit_id = :limit_id AND fence = :fence AND started_at IS NOT NULL AND ended_at IS NULL

-- name: forget_resume_attempts
DELETE FROM resume_attempts WHERE limit_at < :before AND ended_at IS NOT NULL
