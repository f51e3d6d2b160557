"""What a phase may have done when it starts or ends, or when a bug is met."""

COMMIT_HASH = "git.capture_commit_hash"
FINAL_COMMIT = "git.capture_final_commit"
NAMES = (COMMIT_HASH, FINAL_COMMIT)
