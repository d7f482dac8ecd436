-- Gives a job to another owner of its tenant, if its record has not changed meanwhile. May run twice.
--
-- uses schedule-lists.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 record before  3 record with the new owner  4 op: idempotency key of this call
--       5 owner before  6 new owner  7 kind  8 status
-- Returns 1; 0 if the record is another one; -1 if the job is on its way to another tenant
local t, id, before, record, op = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local from, to = t .. ':owner:' .. ARGV[5], t .. ':owner:' .. ARGV[6]
local list = ':jobs:' .. ARGV[7] .. ':' .. ARGV[8]
local job = t .. ':job:' .. id
local is = redis.call('HMGET', job, 's', 'op', 'n', 'key', 'moving', 'db', 'sc')
if is[1] ~= before then return 0 end
if is[5] then return -1 end

-- A process that remembers the record before must not compute a change from it: its op is not the newest one any more.
redis.call('HSET', job, 's', record, 'op', op .. ' ' .. is[2])
redis.call('ZREM', from .. list, id)
redis.call('ZADD', to .. list, is[3], id)
redis.call('SADD', to .. ':kinds', ARGV[7])
if is[7] then
  drop_of_schedule(from, is[7], ARGV[7], ARGV[8], id)
  list_of_schedule(to, is[7], ARGV[7], ARGV[8], is[3], id)
end
local rev = redis.call('INCR', t .. ':rev')
redis.call('ZREM', from .. ':feed', id)
redis.call('ZADD', to .. ':feed', rev, id)
redis.call('ZADD', t .. ':feed', rev, id)
redis.call('SET', to .. ':rev', rev)
if is[4] then
  redis.call('HDEL', from .. ':job-keys', is[4])
  if redis.call('HSETNX', to .. ':job-keys', is[4], id) == 0 then redis.call('HDEL', job, 'key') end
end
if is[6] then
  if redis.call('HGET', from .. ':debounced', is[6]) == id then redis.call('HDEL', from .. ':debounced', is[6]) end
  if redis.call('HSETNX', to .. ':debounced', is[6], id) == 0 then redis.call('HDEL', job, 'db') end
end
-- As in prune.lua: an owner without jobs keeps no key.
if redis.call('EXISTS', from .. ':feed') == 0 then redis.call('DEL', from .. ':rev', from .. ':kinds') end
for _, owner in ipairs({ARGV[5], ARGV[6], ''}) do redis.call('SPUBLISH', t .. ':hint:feed:' .. owner, '') end
return 1
