-- wrk: posts weekly telemetry of some 0.7 KB; the messages are made before the clock runs.
local KINDS = { "VM", "Server", "Workstation", "CloudVM", "Application", "CloudConnectServer", "FileShare" }
local MESSAGES = 4000
local made, at = {}, 0

function init()
  for k = 1, MESSAGES do
    local types = {}
    for i, kind in ipairs(KINDS) do
      types[i] = string.format('{"type":"%s","count":%d,"points":%.1f}', kind, (k * i) % 5000, (k * i * 11) % 55000 / 10)
    end
    local body = string.format(
      '{"installation":"3c6ef372-fe94-482b-a739-%012x","contract":"V%07d","week":%d,"sequence":%d,"total":%.1f,"types":[%s],"signature":"%s"}',
      k * 131, k * 131, k % 53, k, (k * 77) % 90000 / 10, table.concat(types, ","), string.rep("0123456789abcdef", 8))
    made[k] = wrk.format("POST", "/telemetry", { ["content-type"] = "application/json" }, body)
  end
end

function request()
  at = at % MESSAGES + 1
  return made[at]
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('{"posts_per_s":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"refused":%d,"posted":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed, summary.requests))
end
