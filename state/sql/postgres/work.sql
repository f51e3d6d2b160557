-- name: add_work
INSERT INTO work (
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
) VALUES (
    %(id)s, %(number)s, %(text)s, %(status)s, %(priority)s, %(project)s, %(tags)s, %(session)s, %(not_before)s, %(retry_at)s, %(attempts)s, %(max_attempts)s,
    %(estimate_minutes)s, %(added_at)s, %(claimed_at)s, %(ended_at)s, %(busy_ms)s, %(result)s, %(reason)s
)
ON CONFLICT (id) DO NOTHING

-- name: last_work_number
SELECT coalesce(max(number), 0) FROM work

-- name: add_work_need
INSERT INTO work_needs (item, needs) VALUES (%(item)s, %(needs)s) ON CONFLICT (item, needs) DO NOTHING

-- name: work_item
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work WHERE id = %(id)s

-- name: work_items
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work ORDER BY number

-- name: work_needs
SELECT item, needs FROM work_needs ORDER BY item, needs

-- name: next_work
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work
WHERE status = 'queued' AND open_needs = 0
AND (not_before IS NULL OR not_before <= %(now)s)
AND (retry_at IS NULL OR retry_at <= %(now)s OR retry_at > %(horizon)s)
ORDER BY dependents DESC, priority, number LIMIT 1

-- name: count_work_needs
UPDATE work SET open_needs = (
    SELECT count(*) FROM work_needs JOIN work AS needed ON needed.id = work_needs.needs
    WHERE work_needs.item = work.id AND needed.status <> 'completed'
)
WHERE id = %(id)s

-- name: count_work_dependents
UPDATE work SET dependents = (
    SELECT count(*) FROM work_needs JOIN work AS later ON later.id = work_needs.item
    WHERE work_needs.needs = work.id AND later.status IN ('queued', 'claimed')
)
WHERE id = %(id)s

-- name: work_needed_by
SELECT item FROM work_needs WHERE needs = %(id)s ORDER BY item

-- name: work_needs_of
SELECT needs FROM work_needs WHERE item = %(id)s ORDER BY needs

-- name: work_due
SELECT min(due) FROM (
    SELECT expires_at AS due FROM claims WHERE kind = 'work' AND owner IS NOT NULL
    UNION ALL
    SELECT greatest(coalesce(not_before, ''), coalesce(retry_at, '')) FROM work
    WHERE status = 'queued' AND (not_before > %(now)s OR retry_at > %(now)s)
) AS dues

-- name: count_work
SELECT count(*) FROM work WHERE status = %(status)s

-- name: revise_work
UPDATE work SET
    status = %(status)s, retry_at = %(retry_at)s, attempts = %(attempts)s, claimed_at = %(claimed_at)s, ended_at = %(ended_at)s,
    busy_ms = %(busy_ms)s, result = %(result)s, reason = %(reason)s
WHERE id = %(id)s
