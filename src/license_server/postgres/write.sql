-- One batch: rows ($1-$4), first messages ($5-$8), entries ($9-$13) of chain $14 from $15 to $16 links with the head $17.
-- The chain's row is written even when nothing else is, so that the commit waits for what it answers with.
WITH
  given AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS g (shelf, id, contract_id, value)
  ),
  contracts AS (
    INSERT INTO contract SELECT id, contract_id, value::json FROM given WHERE shelf = 'contract'
    ON CONFLICT (id) DO UPDATE SET value = excluded.value
  ),
  tokens AS (
    INSERT INTO token SELECT id, contract_id, value::json FROM given WHERE shelf = 'token'
    ON CONFLICT (id) DO UPDATE SET value = excluded.value
  ),
  agents AS (
    INSERT INTO agent SELECT id, contract_id, value::json FROM given WHERE shelf = 'agent'
    ON CONFLICT (id) DO UPDATE SET contract_id = excluded.contract_id, value = excluded.value
  ),
  units AS (
    INSERT INTO unit SELECT id, contract_id, value::json FROM given WHERE shelf = 'unit'
    ON CONFLICT (id) DO UPDATE SET contract_id = excluded.contract_id, value = excluded.value
  ),
  reports AS (
    INSERT INTO unit_reports SELECT id, contract_id, value::json FROM given WHERE shelf = 'reports'
    ON CONFLICT (id) DO UPDATE SET value = excluded.value
  ),
  checks AS (
    INSERT INTO unit_checks SELECT id, contract_id, value::json FROM given WHERE shelf = 'checks'
    ON CONFLICT (id) DO UPDATE SET value = excluded.value
  ),
  days AS (
    INSERT INTO unit_days SELECT id, contract_id, value::json FROM given WHERE shelf = 'days'
    ON CONFLICT (id) DO UPDATE SET value = excluded.value
  ),
  policies AS (
    UPDATE server SET policy = given.value::json FROM given WHERE shelf = 'policy'
  ),
  amended AS (
    UPDATE message SET value = given.value::json FROM given WHERE shelf = 'message' AND message.id = given.id
  ),
  taken AS (
    INSERT INTO message (id, recorded_at, chain, link, value)
    SELECT id, recorded_at, $14, link, value::json
    FROM unnest($5::text[], $6::timestamptz[], $7::bigint[], $8::text[]) AS m (id, recorded_at, link, value)
  ),
  entries AS (
    INSERT INTO entry (recorded_at, chain, link, actor, fact, hash)
    SELECT recorded_at, $14, link, actor, fact::json, hash
    FROM unnest($9::timestamptz[], $10::bigint[], $11::text[], $12::text[], $13::bytea[])
      AS e (recorded_at, link, actor, fact, hash)
    ORDER BY link
  )
UPDATE chain SET links = $16, head = $17, used_at = now() WHERE id = $14 AND links = $15
