-- Some contracts with their tokens, agents and units: what a page of the fleet begins with.
SELECT 'contract', id, value::text, NULL FROM contract WHERE id = ANY($1)
UNION ALL
SELECT 'token', id, value::text, NULL FROM token WHERE contract_id = ANY($1)
UNION ALL
SELECT 'agent', id, value::text, NULL FROM agent WHERE contract_id = ANY($1)
UNION ALL
SELECT 'unit', id, value::text, NULL FROM unit WHERE contract_id = ANY($1)
