-- name: clock
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')

-- name: take_claim
INSERT INTO claims (kind, key, owner, token, acquired_at, renewed_at, expires_at)
VALUES (:kind, :key, :owner, 1, :now, :now, :expires_at)
ON CONFLICT (kind, key) DO UPDATE SET
    owner = excluded.owner, token = claims.token + 1, acquired_at = excluded.acquired_at,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at

-- name: renew_claim
UPDATE claims SET renewed_at = :now, expires_at = :expires_at WHERE kind = :kind AND key = :key

-- name: free_claim
UPDATE claims SET owner = NULL WHERE kind = :kind AND key = :key

-- name: claim
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims WHERE kind = :kind AND key = :key

-- name: claims_held
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims
WHERE kind = :kind AND owner IS NOT NULL ORDER BY acquired_at, key

-- name: claims_untimely
SELECT kind, key, owner, token, acquired_at, renewed_at, expires_at FROM claims
WHERE kind = :kind AND owner IS NOT NULL AND (expires_at <= :now OR renewed_at > :now) ORDER BY expires_at, key
