-- Lists jobs whose expiry is over, the earliest first, with their records, and large batches that another process did not finish.
-- An entry without a job that waits is dropped.
--
-- uses staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 the most jobs
-- Returns {{{id, record, by how many ms it is late}, …}, number of jobs that expire and of large batches, these among them,
-- {ids of batches}}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGE', t .. ':expiring', '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
local jobs = {}
for i = 1, #due, 2 do
  local is = redis.pcall('HMGET', t .. ':job:' .. due[i], 'st', 's', 'x')
  if is[1] == 'PENDING' and is[3] then
    jobs[#jobs + 1] = {due[i], is[2], string.format('%.0f', now - due[i + 1])}
  else
    redis.call('ZREM', t .. ':expiring', due[i])
  end
end
local batches, left = redis.call('HKEYS', t .. ':staged'), {}
for _, batch in ipairs(batches) do
  if is_silent(batch) then left[#left + 1] = batch end
end
return {jobs, redis.call('ZCARD', t .. ':expiring') + #batches, left}
