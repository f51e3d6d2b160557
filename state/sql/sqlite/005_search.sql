-- What can be searched of an event, bounded, as words: type, entity and payload, without the escapes of JSON. An index
-- entry is taken out by the very text it was put in with, so this view may never change for rows that are there.
-- `scope` has the session and the task each as one word, so that the index itself narrows a search to them.
CREATE VIEW event_texts AS
SELECT
    seq,
    substr(type, 1, 256) || ' ' || substr(entity_id, 1, 1024) || ' ' || replace(replace(replace(replace(replace(replace(
        substr(payload, 1, 65536), '\\', ' '), '\n', ' '), '\r', ' '), '\t', ' '), '\u0000', ' '), '\u001b', ' ') AS said,
    's' || hex(substr(session, 1, 128)) || coalesce(' t' || hex(substr(task, 1, 128)), '') AS scope
FROM events;
-- No columnsize: the rank is our own.
CREATE VIRTUAL TABLE events_index USING fts5 (
    said, scope, content = 'event_texts', content_rowid = 'seq', tokenize = "unicode61 remove_diacritics 0", columnsize = 0
);
INSERT INTO events_index (rowid, said, scope) SELECT seq, said, scope FROM event_texts;

CREATE INDEX events_by_type ON events (type, seq);
CREATE INDEX events_by_entity ON events (entity_type, entity_id, seq);

-- Where the events lie that were taken out of this store: files of compressed lines in the folder `archive`.
CREATE TABLE archives (
    name TEXT NOT NULL PRIMARY KEY,
    first_ts TEXT NOT NULL,
    last_ts TEXT NOT NULL,
    events INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    made_at TEXT NOT NULL
);

-- What the newest events mean, as the vector driver sees it; made when it is first asked for.
CREATE TABLE event_vectors (
    seq INTEGER NOT NULL PRIMARY KEY,
    vector BLOB NOT NULL
);
