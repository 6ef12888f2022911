-- Tokens by client credentials, some of them a second and not as many as there can be, so that others have processors, too.
-- Prints what came of it as one line of JSON.
-- Usage: wrk ... -s load.lua URL -- ID:SECRET-IN-BASE64

local PAUSE_MS = 20

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Basic " .. arguments[1]
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.body = "grant_type=client_credentials"
end

function delay()
  return PAUSE_MS
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local line = '{"requests":%d,"refused":%d,"broken":%d,"p999Ms":%.1f}\n'
  io.write(line:format(summary.requests, errors.status, broken, latency:percentile(99.9) / 1000))
end
