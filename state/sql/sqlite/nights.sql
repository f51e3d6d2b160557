-- name: add_night_job
INSERT INTO night_jobs (
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
) VALUES (
    :id, :number, :code, :text, :project, :priority, :value, :quota_points, :minutes, :depends, :not_before,
    :deadline, :checks, :agent, :tier, :status, :attempts, :why, :branch, :worktree, :session, :run, :points_used,
    :fence, :owner, :renewed_at, :expires_at, :added_at, :started_at, :ended_at
)

-- name: last_night_number
SELECT coalesce(max(number), 0) FROM night_jobs

-- name: night_job
SELECT
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
FROM night_jobs WHERE id = :name OR code = :name

-- name: night_jobs
SELECT
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
FROM night_jobs ORDER BY number

-- name: night_jobs_running
SELECT
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
FROM night_jobs WHERE status = 'running' ORDER BY number

-- name: revise_night_job
UPDATE night_jobs SET
    status = :status, attempts = :attempts, why = :why, not_before = :not_before, branch = :branch,
    worktree = :worktree, session = :session, run = :run, points_used = :points_used, fence = :fence, owner = :owner,
    renewed_at = :renewed_at, expires_at = :expires_at, started_at = :started_at, ended_at = :ended_at
WHERE id = :id
