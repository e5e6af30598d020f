//! The one test binary. Each module tells about one room, or one story through all of them.

mod accounts; // license server: enrolment, receipts, conflicts, operator commands
mod agent; // views, units, orders of the one owner
mod api; // /api/v1: who may come in, orders given once, the document
mod bench; // the generated provider that benchmarks measure with
mod billing; // price book, amounts of a report's lines
mod cli; // the command line, in process and as the real binary
mod config; // settings: defaults, environment, unknown keys
mod console; // the served page
mod demo; // the year that `demo` plays
mod domain; // points, calendar, workloads
mod doors; // the real doors: files, wire, TLS, pins, mail, serve
mod evidence; // a month proved from one archive, forgeries
mod formats; // PDF, CSV, JSON of a document; mail bytes
mod glass_box; // journal, messages, coverage, servers: what the agent shows of itself
mod hooks; // webhook messages, what answers mean, usage events
mod hostile; // any bytes at every reader: corpora, mutations, the fuzz targets' table
mod journal; // framing, chain, a cut at every byte
mod limits; // docs/LIMITS.md: each limit, and one past it
mod openid; // signing in with a provider: forged, replayed and foreign answers
mod people; // who comes in, what each may do, first sign-in
mod postgres; // the License Update Server on PostgreSQL: shared, killed, failed over; only with TIDEGAUGE_POSTGRES
mod process; // the real process and its disk: killed, cut off from power, damaged, started twice
mod protocol; // messages of the License Update Server
mod rules; // counting, schedule, gate, renewal, review
mod seal; // canonical JSON, signatures, chain
mod security; // the threat model, tested
mod sources; // VBR conversation, snapshot files
mod store; // state equals replay, samples, watermarks
mod stories; // months through the real agent
mod tidy; // the house and its rules
