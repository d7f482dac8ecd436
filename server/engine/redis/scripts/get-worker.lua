-- Reads a worker, and gives it an order if there is one in ARGV.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 worker  2 order, or ""
-- Returns {report, order or ""}, or {} if it is not there
local p, worker, ordered = KEYS[1], ARGV[1], ARGV[2]
local order = p .. ':order:' .. worker
local ORDER_MS = 86400000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local report = redis.call('HGET', p .. ':worker-reports', worker)
if not report or tonumber(redis.call('ZSCORE', p .. ':workers', worker) or 0) <= now then return {} end
if ordered ~= '' then
  redis.call('SET', order, ordered, 'PX', ORDER_MS)
  redis.call('SPUBLISH', p .. ':orders', worker)
end
return {report, redis.call('GET', order) or ''}
