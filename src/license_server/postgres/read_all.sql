-- Every row, with the bodies of the messages.
SELECT 'contract', id, value::text, NULL FROM contract
UNION ALL
SELECT 'token', id, value::text, NULL FROM token
UNION ALL
SELECT 'agent', id, value::text, NULL FROM agent
UNION ALL
SELECT 'unit', id, value::text, NULL FROM unit
UNION ALL
SELECT 'reports', id, value::text, NULL FROM unit_reports
UNION ALL
SELECT 'checks', id, value::text, NULL FROM unit_checks
UNION ALL
SELECT 'days', id, value::text, NULL FROM unit_days
UNION ALL
SELECT 'message', m.id, m.value::text, e.fact::text
FROM message m LEFT JOIN entry e ON e.recorded_at = m.recorded_at AND e.chain = m.chain AND e.link = m.link
UNION ALL
SELECT 'policy', '', policy::text, NULL FROM server WHERE policy IS NOT NULL
