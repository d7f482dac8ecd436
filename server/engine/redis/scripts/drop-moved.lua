-- Deletes a job from the tenant that it has left, and its batch if that was the last job. May run twice.
--
-- uses schedule-lists.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 owner before  3 batch id or ""
local t, id, owner, batch = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local job, o = t .. ':job:' .. id, t .. ':owner:' .. owner
local function hint(to) redis.call('SPUBLISH', t .. ':hint:' .. to, '') end
local function release(keys, key, of)
  if key and key ~= '' and redis.call('HGET', keys, key) == of then redis.call('HDEL', keys, key) end
end

local is = redis.call('HMGET', job, 'moving', 'st', 'kind', 'key', 'u', 'sc')
if is[1] then
  -- As in prune.lua.
  if is[5] and redis.call('DECRBY', t .. ':bytes', is[5]) <= 0 then redis.call('DEL', t .. ':bytes') end
  redis.call('UNLINK', job, t .. ':log:' .. id, t .. ':draft:' .. id, t .. ':lines:' .. id)
  redis.call('ZREM', t .. ':finished:' .. is[3], id)
  for _, all in ipairs({o, t}) do
    redis.call('ZREM', all .. ':feed', id)
    redis.call('ZREM', all .. ':jobs:' .. is[3] .. ':' .. is[2], id)
    if is[6] then drop_of_schedule(all, is[6], is[3], is[2], id) end
  end
  release(o .. ':job-keys', is[4], id)
  if redis.call('EXISTS', o .. ':feed') == 0 then redis.call('DEL', o .. ':rev', o .. ':kinds') end
  if redis.call('EXISTS', t .. ':feed') == 0 then redis.call('DEL', t .. ':kinds', t .. ':limits') end
  if batch ~= '' then redis.call('ZREM', t .. ':jobs-of:' .. batch, id) end
  -- Watchers read, and find the job in its new tenant.
  for _, to in ipairs({'feed:' .. owner, 'feed:', 'job:' .. id}) do hint(to) end
end
if batch == '' or redis.call('EXISTS', t .. ':jobs-of:' .. batch) == 1 then return 1 end
local of = redis.call('HMGET', t .. ':batch:' .. batch, 'moving', 'key')
if not of[1] then return 1 end
release(o .. ':batch-keys', of[2], batch)
redis.call('DEL', t .. ':batch:' .. batch)
redis.call('ZREM', o .. ':batches', batch)
redis.call('ZREM', t .. ':batches', batch)
hint('batch:' .. batch)
return 1
