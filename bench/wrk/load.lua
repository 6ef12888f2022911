-- GET with the tokens of a file, one a line, in turn. Prints what came of it as one line of JSON.
-- Usage: wrk ... -s load.lua URL -- FILE

local requests = {}
local next_one = 0

function init(arguments)
  for token in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
  end
end

function request()
  next_one = next_one + 1
  if next_one > #requests then
    next_one = 1
  end
  return requests[next_one]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"requests":%d,"us":%d,"failed":%d,"p50_us":%d,"p99_us":%d}\n'
  io.write(line:format(summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
