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
-- Lua's limit on arguments is some thousands.
local AT_ONCE = 1000
-- Calls `each` with each member and its score in a set, or false.
local function with_scores(set, members, each)
  for i = 1, #members, AT_ONCE do
    local scores = redis.call('ZMSCORE', set, unpack(members, i, math.min(i + AT_ONCE - 1, #members)))
    for k, score in ipairs(scores) do each(members[i + k - 1], score) end
  end
end
if #jobs == 0 then return 0 end
local is_of_owner, marks, left = true, {}, jobs
with_scores(o .. ':feed', jobs, function(_, score) is_of_owner = is_of_owner and score end)
if not is_of_owner then return 0 end
-- A batch has jobs of few kinds.
while #left > 0 do
  local kind = redis.call('HGET', t .. ':job:' .. left[1], 'kind')
  local others = {}
  with_scores(t .. ':finished:' .. (kind or ''), left, function(job, score)
    if score then marks[job] = score else others[#others + 1] = job end
  end)
  if others[1] == left[1] then return 0 end
  left = others
end

for _, job in ipairs(jobs) do redis.call('HSET', t .. ':job:' .. job, 'moving', marks[job]) end
if type == 'batch' then redis.call('HSET', t .. ':batch:' .. id, 'moving', 1) end
redis.call('HSET', o .. ':moving', type .. ':' .. id, ARGV[4])
return #jobs
