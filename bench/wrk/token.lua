-- POST for tokens by client credentials; without credentials, GET. Prints what came of it as one line of JSON.
-- Usage: wrk ... -s token.lua URL -- [ID:SECRET-IN-BASE64]

function init(arguments)
  if arguments[1] then
    wrk.method = "POST"
    wrk.headers["Authorization"] = "Basic " .. arguments[1]
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
    wrk.body = "grant_type=client_credentials&scope=orders:read&resource=https%3A%2F%2Fapi.example.com"
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"requests":%d,"us":%d,"failed":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d}\n'
  local at = function(percent) return latency:percentile(percent) end
  io.write(line:format(summary.requests, summary.duration, failed, at(50), at(99), at(99.9), latency.max))
end
