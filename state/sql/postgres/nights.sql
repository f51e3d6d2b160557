-- name: add_night_job
INSERT INTO night_jobs (
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
) VALUES (
    %(id)s, %(number)s, %(code)s, %(text)s, %(project)s, %(priority)s, %(value)s, %(quota_points)s, %(minutes)s,
    %(depends)s, %(not_before)s, %(deadline)s, %(checks)s, %(agent)s, %(tier)s, %(status)s, %(attempts)s, %(why)s,
    %(branch)s, %(worktree)s, %(session)s, %(run)s, %(points_used)s, %(fence)s, %(owner)s, %(renewed_at)s,
    %(expires_at)s, %(added_at)s, %(started_at)s, %(ended_at)s
)

-- name: last_night_number
SELECT coalesce(max(number), 0) FROM night_jobs

-- name: night_job
SELECT
    id, number, code, text, project, priority, value, quota_points, minutes, depends, not_before, deadline, checks,
    agent, tier, status, attempts, why, branch, worktree, session, run, points_used, fence, owner, renewed_at,
    expires_at, added_at, started_at, ended_at
FROM night_jobs WHERE id = %(name)s OR code = %(name)s

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
    status = %(status)s, attempts = %(attempts)s, why = %(why)s, not_before = %(not_before)s, branch = %(branch)s,
    worktree = %(worktree)s, session = %(session)s, run = %(run)s, points_used = %(points_used)s, fence = %(fence)s,
    owner = %(owner)s, renewed_at = %(renewed_at)s, expires_at = %(expires_at)s, started_at = %(started_at)s,
    ended_at = %(ended_at)s
WHERE id = %(id)s
