-- Loads of the bench for wrk. Arguments after `--`: method, path, number of extra request headers, bytes of body,
-- then the Host header or, as @file, a file with one Host header on each line to go through in turn, then an Origin or nothing.
local requests = {}
local at = 0

function init(args)
  local method, path, extra, size, hosts = args[1], args[2], tonumber(args[3]), tonumber(args[4]), args[5]
  local headers = { ["X-API-Key"] = os.getenv("BENCH_API_KEY") }
  for i = 1, extra do
    headers[string.format("X-Client-Header-%02d", i)] = string.format("value-of-client-header-%02d", i)
  end
  if args[6] ~= nil and args[6] ~= "" then headers["Origin"] = args[6] end
  local body = nil
  if size > 0 then
    headers["Content-Type"] = "application/octet-stream"
    body = string.rep("x", size)
  end
  local function add(host)
    headers["Host"] = host
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  if hosts:sub(1, 1) == "@" then
    for host in io.lines(hosts:sub(2)) do add(host) end
  else
    add(hosts)
  end
  if #requests == 1 then
    local only = requests[1]
    request = function() return only end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p50us":%d,"p99us":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
