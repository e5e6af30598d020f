// The receiving side of telemetry with Fastify and pg: one durable insert a request. Signatures are not verified.
// Arguments: port, PostgreSQL's URL. Run where node_modules has both packages.
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const fastify = require('fastify');
const pg = require('pg');

const [port, connectionString] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 16 });
await pool.query('create table if not exists telemetry (id bigserial primary key, installation text, week int, sequence bigint, total float8, body jsonb)');
const server = fastify();
const body = {
  type: 'object',
  required: ['installation', 'week', 'sequence', 'total', 'types'],
  properties: {
    installation: { type: 'string' }, week: { type: 'integer' }, sequence: { type: 'integer' }, total: { type: 'number' },
    types: { type: 'array', items: { type: 'object' } },
  },
};
server.post('/telemetry', { schema: { body } }, async ({ body: message }) => {
  const { installation, week, sequence, total } = message;
  await pool.query({
    name: 'insert',
    text: 'insert into telemetry (installation, week, sequence, total, body) values ($1, $2, $3, $4, $5)',
    values: [installation, week, sequence, total, JSON.stringify(message)],
  });
  return { ok: true };
});
await server.listen({ port: Number(port), host: '127.0.0.1' });
