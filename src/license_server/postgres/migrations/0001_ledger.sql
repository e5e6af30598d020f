-- The License Update Server's ledger. `entry` is the truth; the other tables follow from it (`license-server verify`).

-- One row: what every server on this database shares.
CREATE TABLE server (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Fingerprint of the key that signs answers and license keys.
  signing_key text NOT NULL,
  policy json
);

CREATE TABLE contract (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL);
-- By the SHA-256 of their secret.
CREATE TABLE token (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL);
-- By the fingerprint of their key.
CREATE TABLE agent (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL);
-- Rewritten with every message of the unit: the page has room for the row's next version.
CREATE TABLE unit (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL) WITH (fillfactor = 60);
-- What grows with a unit's life, apart: its reports, its newest license checks, and the marks of its days, by month (UNIT/MONTH).
CREATE TABLE unit_reports (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL);
CREATE TABLE unit_checks (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL);
CREATE TABLE unit_days (id text COLLATE "C" PRIMARY KEY, contract_id text NOT NULL, value json NOT NULL) WITH (fillfactor = 60);

-- Every id that was ever taken, with its receipt; the body stands in its entry. The key is the last wall against doubles.
CREATE TABLE message (
  id text COLLATE "C" PRIMARY KEY,
  recorded_at timestamptz NOT NULL,
  chain bigint NOT NULL,
  link bigint NOT NULL,
  value json NOT NULL
);

-- Each connection of a server that writes has its own hash chain; its head stands here.
CREATE TABLE chain (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  links bigint NOT NULL DEFAULT 0,
  head bytea NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The order in which the facts of all chains are applied: drawn under the locks of the rows they change.
CREATE SEQUENCE entry_number;

CREATE TABLE entry (
  recorded_at timestamptz NOT NULL,
  chain bigint NOT NULL,
  link bigint NOT NULL,
  number bigint NOT NULL DEFAULT nextval('entry_number'),
  actor text NOT NULL,
  fact json NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (recorded_at, chain, link)
) PARTITION BY RANGE (recorded_at);

-- What no month's partition takes: nothing is refused.
CREATE TABLE entry_default PARTITION OF entry DEFAULT;
