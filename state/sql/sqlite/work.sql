-- name: add_work
INSERT INTO work (
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
) VALUES (
    :id, :number, :text, :status, :priority, :project, :tags, :session, :not_before, :retry_at, :attempts, :max_attempts,
    :estimate_minutes, :added_at, :claimed_at, :ended_at, :busy_ms, :result, :reason
)
ON CONFLICT (id) DO NOTHING

-- name: last_work_number
SELECT coalesce(max(number), 0) FROM work

-- name: add_work_need
INSERT INTO work_needs (item, needs) VALUES (:item, :needs) ON CONFLICT (item, needs) DO NOTHING

-- name: work_item
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work WHERE id = :id

-- name: work_page
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work
WHERE status = :status AND number > :beyond AND (:project IS NULL OR project = :project)
ORDER BY number LIMIT :most

-- name: work_page_back
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work
WHERE status = :status AND number < :beyond AND (:project IS NULL OR project = :project)
ORDER BY number DESC LIMIT :most

-- name: work_sums
SELECT
    status, count(*),
    sum(CASE WHEN status = 'queued' AND open_needs = 0 AND coalesce(not_before, '') <= :now
        AND coalesce(retry_at, '') <= :now THEN 1 ELSE 0 END),
    sum(attempts), sum(busy_ms),
    sum(CASE WHEN ended_at IS NULL THEN estimate_minutes END),
    sum(CASE WHEN ended_at IS NULL AND estimate_minutes IS NULL THEN 1 ELSE 0 END),
    min(claimed_at), max(CASE WHEN claimed_at IS NOT NULL THEN ended_at END)
FROM work GROUP BY status

-- name: work_waits
WITH waits AS (
    SELECT
        max(0, CAST(round((julianday(claimed_at) - julianday(max(added_at, coalesce(not_before, '')))) * 86400000) AS INTEGER)) AS wait_ms
    FROM work WHERE claimed_at IS NOT NULL
),
placed AS (
    SELECT wait_ms, row_number() OVER (ORDER BY wait_ms) AS place, count(*) OVER () AS total FROM waits
)
SELECT
    total,
    max(CASE WHEN place = (total * 50 + 99) / 100 THEN wait_ms END),
    max(CASE WHEN place = (total * 90 + 99) / 100 THEN wait_ms END),
    max(CASE WHEN place = (total * 99 + 99) / 100 THEN wait_ms END)
FROM placed GROUP BY total

-- name: count_blocked_work
WITH RECURSIVE blocked (id) AS (
    SELECT later.id FROM work AS dead
    JOIN work_needs ON work_needs.needs = dead.id
    JOIN work AS later ON later.id = work_needs.item
    WHERE dead.status = 'dead' AND later.status = 'queued'
    UNION
    SELECT later.id FROM blocked
    JOIN work_needs ON work_needs.needs = blocked.id
    JOIN work AS later ON later.id = work_needs.item
    WHERE later.status = 'queued'
)
SELECT count(*) FROM blocked

-- name: count_work_before
SELECT count(*) FROM work
WHERE status IN ('completed', 'dead') AND ended_at < :ts AND number < (SELECT max(number) FROM work)
AND NOT EXISTS (
    SELECT 1 FROM work_needs JOIN work AS later ON later.id = work_needs.item
    WHERE work_needs.needs = work.id AND (work.status = 'dead' OR later.status IN ('queued', 'claimed'))
)

-- name: forget_work_before
DELETE FROM work
WHERE status IN ('completed', 'dead') AND ended_at < :ts AND number < (SELECT max(number) FROM work)
AND NOT EXISTS (
    SELECT 1 FROM work_needs JOIN work AS later ON later.id = work_needs.item
    WHERE work_needs.needs = work.id AND (work.status = 'dead' OR later.status IN ('queued', 'claimed'))
)

-- name: forget_work_needs
DELETE FROM work_needs
WHERE NOT EXISTS (SELECT 1 FROM work WHERE work.id = work_needs.item)
OR NOT EXISTS (SELECT 1 FROM work WHERE work.id = work_needs.needs)

-- name: next_work
SELECT
    id, number, text, status, priority, project, tags, session, not_before, retry_at, attempts, max_attempts,
    estimate_minutes, added_at, claimed_at, ended_at, busy_ms, result, reason
FROM work
WHERE status = 'queued' AND open_needs = 0
AND (not_before IS NULL OR not_before <= :now)
AND (retry_at IS NULL OR retry_at <= :now OR retry_at > :horizon)
ORDER BY dependents DESC, priority, number LIMIT 1

-- name: count_work_needs
UPDATE work SET open_needs = (
    SELECT count(*) FROM work_needs JOIN work AS needed ON needed.id = work_needs.needs
    WHERE work_needs.item = work.id AND needed.status <> 'completed'
)
WHERE id = :id

-- name: count_work_dependents
UPDATE work SET dependents = (
    SELECT count(*) FROM work_needs JOIN work AS later ON later.id = work_needs.item
    WHERE work_needs.needs = work.id AND later.status IN ('queued', 'claimed')
)
WHERE id = :id

-- name: work_needed_by
SELECT item FROM work_needs WHERE needs = :id ORDER BY item

-- name: work_needs_of
SELECT needs FROM work_needs WHERE item = :id ORDER BY needs

-- name: work_due
SELECT min(due) FROM (
    SELECT expires_at AS due FROM claims WHERE kind = 'work' AND owner IS NOT NULL
    UNION ALL
    SELECT max(coalesce(not_before, ''), coalesce(retry_at, '')) FROM work
    WHERE status = 'queued' AND (not_before > :now OR retry_at > :now)
) AS dues

-- name: count_work
SELECT count(*) FROM work WHERE status = :status

-- name: revise_work
UPDATE work SET
    status = :status, retry_at = :retry_at, attempts = :attempts, claimed_at = :claimed_at, ended_at = :ended_at,
    busy_ms = :busy_ms, result = :result, reason = :reason
WHERE id = :id
