-- Notes that a tenant is about to get jobs that expire; or forgets it, if that was noted so long ago that it would have them by now.
--
-- KEYS  1 prefix  2 sorted set of tenants, by when that was noted last in ms: the only key of the prefix
-- ARGV  1 tenant  2 "note", or "forget": it has none
local tenants, tenant = KEYS[2], ARGV[1]
-- A call that stores jobs has ended long before.
local KEPT_MS = 60000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[2] == 'note' then return redis.call('ZADD', tenants, now, tenant) end
local noted = redis.call('ZSCORE', tenants, tenant)
if noted and tonumber(noted) < now - KEPT_MS then redis.call('ZREM', tenants, tenant) end
