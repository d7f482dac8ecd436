-- Announces a worker, or withdraws it.
--
-- `:workers` has each worker by the end of its announcement, `:worker-names` the same ones by name, `:worker-reports` what they
-- tell. An order has a key of its own, which lasts for a day after its worker was there for the last time.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 worker  2 for how long in ms; 0 withdraws it  3 its report
-- Returns its order, or ""
local p, worker, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2])
local workers, names, reports, order = p .. ':workers', p .. ':worker-names', p .. ':worker-reports', p .. ':order:' .. worker
local ORDER_MS = 86400000
-- Workers that are forgotten in one call.
local AT_ONCE = 100
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function forget(ids)
  if #ids == 0 then return end
  redis.call('ZREM', workers, unpack(ids))
  redis.call('ZREM', names, unpack(ids))
  redis.call('HDEL', reports, unpack(ids))
end

local ordered = redis.call('GET', order) or ''
if ttl > 0 then
  redis.call('ZADD', workers, now + ttl, worker)
  redis.call('ZADD', names, 0, worker)
  redis.call('HSET', reports, worker, ARGV[3])
  if ordered ~= '' then redis.call('PEXPIRE', order, ORDER_MS) end
else
  forget({worker})
  redis.call('DEL', order)
end
forget(redis.call('ZRANGE', workers, '-inf', now, 'BYSCORE', 'LIMIT', 0, AT_ONCE))
return ordered
