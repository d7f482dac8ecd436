-- Marks a job, or a batch with its jobs, as on its way to another tenant, if all of these jobs have settled. From then on they
-- neither change nor are deleted. The mark of a job is its place in the list of settled jobs. May run twice.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 "job" or "batch"  2 id  3 owner  4 where to, for the owner's list of moves
-- Returns the number of jobs; 0 if there is none, or one has not settled or belongs to another owner
local t, type, id, o = KEYS[1], ARGV[1], ARGV[2], KEYS[1] .. ':owner:' .. ARGV[3]
local jobs = {id}
if type == 'batch' then
  if not redis.call('ZSCORE', o .. ':batches', id) then return 0 end
  jobs = redis.call('ZRANGE', t .. ':jobs-of:' .. id, 0, -1)
end
local marks = {}
for i, job in ipairs(jobs) do
  local kind = redis.call('HGET', t .. ':job:' .. job, 'kind')
  marks[i] = kind and redis.call('ZSCORE', t .. ':finished:' .. kind, job)
  if not marks[i] or not redis.call('ZSCORE', o .. ':feed', job) then return 0 end
end
if #jobs == 0 then return 0 end

for i, job in ipairs(jobs) do redis.call('HSET', t .. ':job:' .. job, 'moving', marks[i]) end
if type == 'batch' then redis.call('HSET', t .. ':batch:' .. id, 'moving', 1) end
redis.call('HSET', o .. ':moving', type .. ':' .. id, ARGV[4])
return #jobs
