-- wrk: posts the report in the file that REPORT names, again and again.
local file = assert(io.open(os.getenv("REPORT")))
local body = file:read("*a")
file:close()
local made

function init()
  made = wrk.format("POST", "/report", { ["content-type"] = "application/json" }, body)
end

function request()
  return made
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('{"posts_per_s":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"refused":%d,"posted":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed, summary.requests))
end
