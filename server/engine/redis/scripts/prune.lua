-- Deletes a job that settled before a time, with all its data, and its batch if that was the last job. An owner without jobs
-- and batches keeps no key: the tenant's :rev, which is never deleted, stands for its own.
--
-- uses schedule-lists.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 time in ms  3 owner  4 batch id or ""
-- Returns {1 if the job is deleted, 1 if the batch is}; also if an earlier call deleted them, as a call may be sent twice
local t, id, before, owner, batch = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job, o = t .. ':job:' .. id, t .. ':owner:' .. owner
if redis.call('EXISTS', job) == 0 then
  return {1, batch ~= '' and 1 - redis.call('EXISTS', t .. ':batch:' .. batch) or 0}
end
local is = redis.call('HMGET', job, 'st', 'kind', 'key', 'u', 'moving', 'sc')
local settled = t .. ':finished:' .. is[2]
local finished = redis.call('ZSCORE', settled, id)
-- The job may have been queued again since the caller read it.
if not finished or tonumber(finished) >= tonumber(before) then return {0, 0} end

-- It is on its way to another tenant, or has just come from one.
if is[5] then return {0, 0} end
-- Jobs of earlier versions were not counted.
if is[4] and redis.call('DECRBY', t .. ':bytes', is[4]) <= 0 then redis.call('DEL', t .. ':bytes') end
-- They may be large: Redis frees them beside other commands.
redis.call('UNLINK', job, t .. ':log:' .. id, t .. ':draft:' .. id, t .. ':lines:' .. id)
redis.call('ZREM', settled, id)
for _, all in ipairs({o, t}) do
  redis.call('ZREM', all .. ':feed', id)
  redis.call('ZREM', all .. ':jobs:' .. is[2] .. ':' .. is[1], id)
  if is[6] then drop_of_schedule(all, is[6], is[2], is[1], id) end
end
if is[3] then redis.call('HDEL', o .. ':job-keys', is[3]) end
-- An empty feed proves that the owner has nothing left: its feed has all its jobs, and each batch has a job. Scripts run one
-- by one, so none is created meanwhile.
if redis.call('EXISTS', o .. ':feed') == 0 then redis.call('DEL', o .. ':rev', o .. ':kinds') end
if redis.call('EXISTS', t .. ':feed') == 0 then redis.call('DEL', t .. ':kinds', t .. ':limits') end
if batch == '' then return {1, 0} end

redis.call('ZREM', t .. ':jobs-of:' .. batch, id)
if redis.call('EXISTS', t .. ':jobs-of:' .. batch) == 1 then return {1, 0} end
local key = redis.call('HGET', t .. ':batch:' .. batch, 'key')
if key and key ~= '' then redis.call('HDEL', o .. ':batch-keys', key) end
redis.call('DEL', t .. ':batch:' .. batch)
redis.call('ZREM', o .. ':batches', batch)
redis.call('ZREM', t .. ':batches', batch)
return {1, 1}
