-- One store may be that of several machines, each with logs of its own: a position is that of the folder it was read in.
-- What was kept before belongs to whoever reads next; empty also where the store lies beside its logs.
ALTER TABLE log_positions RENAME TO positions_before;
CREATE TABLE log_positions (
    machine TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL,
    inode TEXT NOT NULL,
    read_bytes INTEGER NOT NULL,
    head TEXT NOT NULL,
    bad_lines INTEGER NOT NULL,
    last_ts TEXT,
    carried TEXT,
    PRIMARY KEY (machine, log, inode)
) WITHOUT ROWID;
INSERT INTO log_positions (log, inode, read_bytes, head, bad_lines, last_ts, carried)
SELECT log, inode, read_bytes, head, bad_lines, last_ts, carried FROM positions_before;
DROP TABLE positions_before;
