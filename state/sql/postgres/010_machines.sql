-- One store may be that of several machines, each with logs of its own: a position is that of the folder it was read in.
-- What was kept before belongs to whoever reads next; empty also where the store lies beside its logs.
ALTER TABLE log_positions ADD COLUMN machine TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE log_positions DROP CONSTRAINT log_positions_pkey;
ALTER TABLE log_positions ADD PRIMARY KEY (machine, log, inode);
