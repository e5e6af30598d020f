-- What grows with the lives of some units ($1), and their days of some months ($2).
SELECT 'reports', id, value::text, NULL FROM unit_reports WHERE id = ANY($1)
UNION ALL
SELECT 'checks', id, value::text, NULL FROM unit_checks WHERE id = ANY($1)
UNION ALL
SELECT 'days', id, value::text, NULL FROM unit_days WHERE id = ANY($2)
