-- What can be searched of an event, bounded, as words: type, entity and payload, without the escapes of JSON. Punctuation
-- becomes space first: the parser would take a path, an address or `TSK-001` for one word of its own making.
ALTER TABLE events ADD COLUMN words tsvector GENERATED ALWAYS AS (
    to_tsvector('simple', translate(
        left(type, 256) || ' ' || left(entity_id, 1024) || ' ' || replace(replace(replace(replace(replace(replace(
            left(payload, 65536), '\\', ' '), '\n', ' '), '\r', ' '), '\t', ' '), '\u0000', ' '), '\u001b', ' '),
        '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '
    ))
) STORED;
CREATE INDEX events_by_words ON events USING gin (words);

CREATE INDEX events_by_type ON events (type, seq);
CREATE INDEX events_by_entity ON events (entity_type, entity_id, seq);

-- Where the events lie that were taken out of this store: files of compressed lines in the folder `archive`.
CREATE TABLE archives (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    first_ts TEXT COLLATE "C" NOT NULL,
    last_ts TEXT COLLATE "C" NOT NULL,
    events BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    made_at TEXT COLLATE "C" NOT NULL
);

-- What the newest events mean, as the vector driver sees it; made when it is first asked for.
CREATE TABLE event_vectors (
    seq BIGINT NOT NULL PRIMARY KEY,
    vector BYTEA NOT NULL
);
