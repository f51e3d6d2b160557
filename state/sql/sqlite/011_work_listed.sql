-- The queue is listed by how its items stand, a page at a time.
CREATE INDEX work_listed ON work (status, number);
