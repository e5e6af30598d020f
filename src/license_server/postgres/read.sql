-- The rows a batch of requests speaks of; those of a unit after it. $2: agents whose contract is wanted too.
SELECT 'contract', id, value::text, NULL FROM contract WHERE id = ANY($1)
UNION ALL
SELECT 'contract', c.id, c.value::text, NULL FROM agent a JOIN contract c ON c.id = a.contract_id WHERE a.id = ANY($2)
UNION ALL
SELECT 'token', id, value::text, NULL FROM token WHERE id = ANY($3)
UNION ALL
SELECT 'agent', id, value::text, NULL FROM agent WHERE id = ANY($4)
UNION ALL
SELECT 'unit', id, value::text, NULL FROM unit WHERE id = ANY($5)
UNION ALL
SELECT 'reports', id, value::text, NULL FROM unit_reports WHERE id = ANY($6)
UNION ALL
SELECT 'checks', id, value::text, NULL FROM unit_checks WHERE id = ANY($7)
UNION ALL
SELECT 'days', id, value::text, NULL FROM unit_days WHERE id = ANY($8)
UNION ALL
SELECT 'message', m.id, m.value::text, e.fact::text
FROM message m LEFT JOIN entry e ON e.recorded_at = m.recorded_at AND e.chain = m.chain AND e.link = m.link
WHERE m.id = ANY($9)
UNION ALL
SELECT 'policy', '', policy::text, NULL FROM server WHERE policy IS NOT NULL
