-- Adds a copied job or batch to the lists, the feeds and the usage of its new tenant. An idempotency key that its new owner has
-- used is dropped. May run twice.
--
-- uses schedule-lists.lua
-- KEYS  1 prefix of the new tenant's keys
-- ARGV  1 "job" or "batch"  2 id  3 new owner  4 the job's batch, or ""
local t, type, id, owner, batch = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local copy, o = t .. ':' .. type .. ':' .. id, t .. ':owner:' .. owner
local is = redis.call('HMGET', copy, 'moving', 'n', 'key', 'kind', 'st', 'u', 'sc')
-- The move has ended: the job may have changed since.
if not is[1] then return 0 end

if is[3] and is[3] ~= '' then
  local keys = o .. ':' .. type .. '-keys'
  redis.call('HSETNX', keys, is[3], id)
  if redis.call('HGET', keys, is[3]) ~= id then redis.call('HDEL', copy, 'key') end
end
if type == 'batch' then
  redis.call('ZADD', o .. ':batches', is[2], id)
  redis.call('ZADD', t .. ':batches', is[2], id)
  return 1
end
if redis.call('ZADD', t .. ':finished:' .. is[4], is[1], id) == 0 then return 1 end
-- Jobs of earlier versions were not counted.
if is[6] then redis.call('INCRBY', t .. ':bytes', is[6]) end
if batch ~= '' then redis.call('ZADD', t .. ':jobs-of:' .. batch, is[2], id) end
local rev = redis.call('INCR', t .. ':rev')
redis.call('SET', o .. ':rev', rev)
for _, all in ipairs({o, t}) do
  redis.call('SADD', all .. ':kinds', is[4])
  redis.call('ZADD', all .. ':jobs:' .. is[4] .. ':' .. is[5], is[2], id)
  if is[7] then list_of_schedule(all, is[7], is[4], is[5], is[2], id) end
  redis.call('ZADD', all .. ':feed', rev, id)
end
for _, each in ipairs({owner, ''}) do redis.call('SPUBLISH', t .. ':hint:feed:' .. each, '') end
return 1
