-- name: add_bug
INSERT INTO bugs (
    bug_hash, task_code, error_message, file_path, line_number, error_type, occurrence_count, captured_at, last_seen,
    last_task_code, context, original, stack_trace, resolved_at, resolution
) VALUES (
    %(bug_hash)s, %(task_code)s, %(error_message)s, %(file_path)s, %(line_number)s, %(error_type)s, %(occurrence_count)s, %(captured_at)s, %(last_seen)s,
    %(last_task_code)s, %(context)s, %(original)s, %(stack_trace)s, %(resolved_at)s, %(resolution)s
)
ON CONFLICT (bug_hash) DO NOTHING

-- name: count_bug
UPDATE bugs SET
    occurrence_count = occurrence_count + 1,
    last_seen = greatest(last_seen, %(last_seen)s),
    task_code = coalesce(task_code, %(task_code)s),
    last_task_code = coalesce(%(task_code)s, last_task_code)
WHERE bug_hash = %(bug_hash)s

-- name: reopen_bug
UPDATE bugs SET resolved_at = NULL, resolution = NULL WHERE bug_hash = %s AND resolved_at IS NOT NULL

-- name: resolve_bug
UPDATE bugs SET resolved_at = %(resolved_at)s, resolution = %(resolution)s WHERE bug_hash = %(bug_hash)s AND resolved_at IS NULL

-- name: keep_bug_context
UPDATE bugs SET context = %(context)s WHERE bug_hash = %(bug_hash)s

-- name: count_bug_task
INSERT INTO bug_tasks (bug_hash, task_code, occurrence_count) VALUES (%s, %s, %s)
ON CONFLICT (bug_hash, task_code) DO UPDATE SET
    occurrence_count = bug_tasks.occurrence_count + excluded.occurrence_count

-- name: bug_tasks
SELECT task_code, occurrence_count FROM bug_tasks WHERE bug_hash = %s ORDER BY task_code

-- name: bug
SELECT
    bug_hash, task_code, error_message, file_path, line_number, error_type, occurrence_count, captured_at, last_seen,
    last_task_code, context, original, stack_trace, resolved_at, resolution
FROM bugs WHERE bug_hash = %s

-- name: bugs_between
SELECT
    bug_hash, task_code, error_message, file_path, line_number, error_type, occurrence_count, captured_at, last_seen,
    last_task_code, context, original, stack_trace, resolved_at, resolution
FROM bugs WHERE bug_hash >= %(low)s AND bug_hash <= %(high)s ORDER BY bug_hash LIMIT %(most)s

-- name: bugs_listed
SELECT
    bug_hash, task_code, error_message, file_path, line_number, error_type, occurrence_count, captured_at, last_seen,
    last_task_code, context, original, stack_trace, resolved_at, resolution
FROM bugs
WHERE occurrence_count >= %(least)s
AND (%(is_open)s = 0 OR resolved_at IS NULL)
AND (%(any_task)s = 1 OR bug_hash IN (SELECT bug_hash FROM bug_tasks WHERE task_code = %(task)s))
ORDER BY last_seen DESC, bug_hash
LIMIT %(most)s

-- name: bug_counts
SELECT
    error_type, count(*), sum(occurrence_count)::bigint, sum(CASE WHEN resolved_at IS NULL THEN 1 ELSE 0 END),
    sum(CASE WHEN occurrence_count > 1 THEN 1 ELSE 0 END)
FROM bugs GROUP BY error_type ORDER BY error_type

-- name: forget_bug
DELETE FROM bugs WHERE bug_hash = %s

-- name: forget_bug_tasks
DELETE FROM bug_tasks WHERE bug_hash = %s
