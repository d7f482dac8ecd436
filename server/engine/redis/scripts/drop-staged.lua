-- Deletes jobs of a large batch that was not shown, and lists those that are next: the caller deletes them from the tenant
-- directory before. May run twice.
--
-- uses staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 batch id  2 op of the creation, or "": the process that made it is silent  3 position up to which jobs are deleted, or
--       "-inf"  4 the most jobs that are listed
-- Returns {"shown"}; {"gone"}: there is nothing to delete; or {"next", position of the last one listed, ids}
local batch, op, upto, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local staged, jobs = staged_key(batch), t .. ':jobs-of:' .. batch
local is = redis.call('HMGET', staged, 'by', 'state', 'owner', 'bytes')
if not is[1] then
  local by = redis.call('HGET', t .. ':batch:' .. batch, 'by')
  return {by and by == op and 'shown' or 'gone'}
end
if is[2] == 'shown' then return {'shown'} end
if op ~= '' and is[1] ~= op then return {'gone'} end
if is[2] == '' then
  if op == '' and not is_silent(batch) then return {'gone'} end
  redis.call('HSET', staged, 'state', 'dropped')
end

local o = t .. ':owner:' .. is[3]
for _, id in ipairs(redis.call('ZRANGE', jobs, '-inf', upto, 'BYSCORE')) do
  local kind = redis.call('HGET', t .. ':job:' .. id, 'kind')
  redis.call('DEL', t .. ':job:' .. id, t .. ':log:' .. id)
  if kind then
    for _, all in ipairs({o, t}) do redis.call('ZREM', all .. ':jobs:' .. kind .. ':PENDING', id) end
  end
  redis.call('ZREM', jobs, id)
end
local found = redis.call('ZRANGE', jobs, 0, most - 1, 'WITHSCORES')
if #found == 0 then
  if redis.call('DECRBY', t .. ':bytes', is[4]) <= 0 then redis.call('DEL', t .. ':bytes') end
  redis.call('HDEL', t .. ':staged', batch)
  redis.call('DEL', staged)
  return {'gone'}
end
local ids = {}
for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
return {'next', found[#found], ids}
