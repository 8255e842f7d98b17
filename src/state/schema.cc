#include "state/state_file.h"

namespace sluice::state {

// Times are milliseconds since 1970 by SQLite's clock. JSON: base/vocabulary_json.h.
const char kSchemaSql[] = R"sql(
CREATE TABLE about (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  job            TEXT NOT NULL PRIMARY KEY,
  epoch          INTEGER NOT NULL,  -- grows with each holder
  nonce          TEXT NOT NULL,     -- of the holder; '' once released
  host           TEXT NOT NULL,
  boot_id        TEXT NOT NULL,
  pid            INTEGER NOT NULL,
  run            TEXT NOT NULL,
  has_lock_file  INTEGER NOT NULL,
  ttl_millis     INTEGER NOT NULL,
  expires_millis INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE loads (
  number         INTEGER PRIMARY KEY,  -- in the order they were opened
  load           TEXT NOT NULL UNIQUE,
  job            TEXT NOT NULL REFERENCES jobs (job),
  stream         TEXT NOT NULL,
  run            TEXT NOT NULL,        -- that opened it
  phase          TEXT NOT NULL,
  definition     TEXT NOT NULL,
  spec           TEXT NOT NULL,        -- JSON
  table_info     TEXT NOT NULL,        -- JSON
  last_key       TEXT,                 -- JSON
  consistency    TEXT NOT NULL,
  clock_micros   INTEGER NOT NULL,
  opened_millis  INTEGER NOT NULL,
  updated_millis INTEGER NOT NULL,
  pruned         INTEGER NOT NULL DEFAULT 0  -- 1: its chunks are forgotten
) STRICT;
CREATE INDEX loads_of_stream ON loads (job, stream, number);

CREATE TABLE positions (
  load     TEXT NOT NULL REFERENCES loads (load) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  position TEXT NOT NULL,
  PRIMARY KEY (load, number),
  UNIQUE (load, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE replaces (
  load     TEXT NOT NULL REFERENCES loads (load) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  replaced TEXT NOT NULL,
  PRIMARY KEY (load, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
  load      TEXT NOT NULL REFERENCES loads (load) ON DELETE CASCADE,
  ordinal   INTEGER NOT NULL,
  after_key TEXT,                      -- JSON; NULL: open
  upto_key  TEXT,                      -- JSON; NULL: open
  is_last   INTEGER NOT NULL,
  PRIMARY KEY (load, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  load    TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  number  INTEGER NOT NULL,            -- in order of change; the greatest staged one wins
  state   TEXT NOT NULL CHECK (state IN ('begun', 'staged', 'failed')),
  receipt TEXT,                        -- JSON, once staged
  why     TEXT,                        -- it failed
  PRIMARY KEY (load, ordinal, attempt),
  FOREIGN KEY (load, ordinal) REFERENCES chunks (load, ordinal) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  number         INTEGER PRIMARY KEY,
  run            TEXT NOT NULL UNIQUE,
  job            TEXT NOT NULL,
  host           TEXT NOT NULL,
  pid            INTEGER NOT NULL,
  version        TEXT NOT NULL,
  definition     TEXT NOT NULL,
  started_millis INTEGER NOT NULL,
  ended_millis   INTEGER NOT NULL,     -- 0: running, or killed
  exit_code      INTEGER NOT NULL,
  summary        TEXT NOT NULL         -- JSON
) STRICT;
CREATE INDEX runs_of_job ON runs (job, number);

CREATE TABLE probes (
  destination   TEXT NOT NULL PRIMARY KEY,
  verdict       TEXT NOT NULL,         -- JSON
  probed_millis INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace sluice::state
