-- name: clock
SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: take_claim
INSERT INTO claims (kind, key, owner, token, acquired_at, renewed_at, expires_at)
VALUES (%(kind)s, %(key)s, %(owner)s, 1, %(now)s, %(now)s, %(expires_at)s)
ON CONFLICT (kind, key) DO UPDATE SET
    owner = excluded.owner, token = claims.token + 1, acquired_at = excluded.acquired_at,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at

-- name: renew_claim
UPDATE claims SET renewed_at = %(now)s, expires_at = %(expires_at)s WHERE kind = %(kind)s AND key = %(key)s

-- name: free_claim
UPDATE claims SET owner = NULL WHERE kind = %(kind)s AND key = %(key)s

-- name: claim
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims WHERE kind = %(kind)s AND key = %(key)s

-- name: claims_held
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims
WHERE kind = %(kind)s AND owner IS NOT NULL ORDER BY acquired_at, key

-- name: claims_untimely
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims
WHERE kind = %(kind)s AND owner IS NOT NULL AND (expires_at <= %(now)s OR renewed_at > %(now)s) ORDER BY expires_at, key
