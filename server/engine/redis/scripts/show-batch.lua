-- Shows a large batch: the one step after which reads find it, and all of its jobs. These get their places in the feed and the
-- queue afterwards (`land-jobs.lua`), the first one in the feed here: an owner without any is one without jobs (`prune.lua`).
--
-- uses staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of the creation  2 owner  3 batch id  4 idempotency key or ""  5 constant fields of the batch
--       6 time in ms  7 limit of the audit list, a space, entry; or ""  then the kinds of its jobs
-- Returns {"ok"}, {"first", id of the batch that the key created before}, or {"gone"}: not all that was stored is there
local op, owner, batch, key, time, audit = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[6], ARGV[7]
-- To give places to the rest may begin twice.
local LEASE_MS = 5000
local o, staged, record = t .. ':owner:' .. owner, staged_key(batch), t .. ':batch:' .. batch
if redis.call('HGET', record, 'by') == op then return {'ok'} end
local is = redis.call('HMGET', staged, 'by', 'state', 'stored', 'count', 'from')
if is[1] ~= op or is[2] ~= '' or is[3] ~= is[4] then return {'gone'} end
local first = key ~= '' and redis.call('HGET', o .. ':batch-keys', key)
if first then return {'first', first} end

redis.call('HSET', record, 'b', ARGV[5], 'by', op, 'v', 1, 'updated', time, 'PENDING', is[4], 'key', key)
redis.call('ZADD', o .. ':batches', is[5], batch)
redis.call('ZADD', t .. ':batches', is[5], batch)
if key ~= '' then redis.call('HSET', o .. ':batch-keys', key, batch) end
if audit ~= '' then
  redis.call('XADD', t .. ':audit', 'MAXLEN', string.match(audit, '^%d+'), redis.call('INCR', t .. ':n') .. '-0', 'e', audit)
end
redis.call('SADD', o .. ':kinds', unpack(ARGV, 8))
redis.call('SADD', t .. ':kinds', unpack(ARGV, 8))
local id, rev = redis.call('ZRANGE', t .. ':jobs-of:' .. batch, 0, 0)[1], redis.call('INCR', t .. ':rev')
redis.call('SET', o .. ':rev', rev)
redis.call('ZADD', o .. ':feed', rev, id)
redis.call('ZADD', t .. ':feed', rev, id)
local clock = redis.call('TIME')
local till = clock[1] * 1000 + math.floor(clock[2] / 1000) + LEASE_MS
redis.call('HSET', staged, 'state', 'shown', 'landed', is[5], 'till', string.format('%.0f', till))
redis.call('SPUBLISH', t .. ':hint:feed:' .. owner, '')
redis.call('SPUBLISH', t .. ':hint:feed:', '')
return {'ok'}
