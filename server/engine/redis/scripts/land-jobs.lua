-- Gives the next jobs of a batch that was shown their places in the feed and the queue. Several processes may do so at once. A job
-- may have changed since it was shown: what a change gave it, it has.
--
-- uses places.lua new-jobs.lua staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 batch id  2 the most jobs
-- Returns {1 if more are left, else 0, and what `queue_all` returns}
local batch, most = ARGV[1], tonumber(ARGV[2])
local LEASE_MS = 5000
local staged = staged_key(batch)
local is = redis.call('HMGET', staged, 'state', 'owner', 'landed', 'at')
if is[1] ~= 'shown' then return {0, 0, '', {}} end
local o, at = t .. ':owner:' .. is[2], tonumber(is[4])
local rev = tonumber(redis.call('GET', t .. ':rev') or 0)

local function waits(id, n, job)
  if job.held == '1' or (job.st ~= 'PENDING' and job.st ~= 'PROCESSING') then return false end
  -- It has not changed.
  if job.v == '1' then return true end
  local set = job.key and t .. ':line:' .. line_of(job.kind, job.key) or t .. ':queue:' .. job.kind
  return not redis.call('ZSCORE', set, member(n, id)) and not redis.call('ZSCORE', t .. ':delayed', id)
end

local found = redis.call('ZRANGE', t .. ':jobs-of:' .. batch, '(' .. is[3], '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
for i = 1, #found, 2 do
  local id, n = found[i], found[i + 1]
  local name = t .. ':job:' .. id
  local of = redis.call('HMGET', name, 'st', 'v', 'held', 'kind', 'k', 'p', 'x', 'd')
  local job = {st = of[1], v = of[2], held = of[3], kind = of[4], key = of[5]}
  if job.st and not redis.call('ZSCORE', t .. ':feed', id) then
    rev = rev + 1
    add(o .. ':feed', rev, id)
    add(t .. ':feed', rev, id)
  end
  if job.st and waits(id, n, job) then
    queue(n, id, job.kind, job.key, of[6], tonumber(of[8] or at))
    if of[7] then add(t .. ':expiring', of[7], id) end
  end
  if of[8] then redis.call('HDEL', name, 'd') end
end
local news = {queue_all()}
if #found > 0 then
  redis.call('SET', t .. ':rev', rev)
  redis.call('SET', o .. ':rev', rev)
end
local is_end = #found < 2 * most
if is_end then
  redis.call('HDEL', t .. ':staged', batch)
  redis.call('DEL', staged)
else
  redis.call('HINCRBY', t .. ':staged', batch, -most)
  redis.call('HSET', staged, 'landed', found[#found], 'till', string.format('%.0f', now + LEASE_MS))
end
for _, feed in ipairs({is[2], ''}) do redis.call('SPUBLISH', t .. ':hint:feed:' .. feed, '') end
return {is_end and 0 or 1, unpack(news)}
