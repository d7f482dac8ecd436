-- Tells why a job waits.
--
-- uses places.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 interval of the rate of its key in microseconds, 0 for none  3 burst
-- Returns {} if it does not wait; else {ms to the end of its delay or -1, ready jobs before it in its queue or line, jobs of its
--          line that run, microseconds until the rate of its key lets it start, kind, key or nil}
local id, interval, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local is = redis.call('HMGET', t .. ':job:' .. id, 'st', 'held', 'n', 'kind', 'k')
-- The kind of a mirrored job has a colon (`outside.ts`).
if is[1] ~= 'PENDING' or is[2] == '1' or string.find(is[4], ':', 1, true) then return {} end
local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local due = redis.call('ZSCORE', t .. ':delayed', id)
local line = is[5] and line_of(is[4], is[5])
local queue = line and t .. ':line:' .. line or t .. ':queue:' .. is[4]
local till = line and interval > 0 and tonumber(redis.call('GET', t .. ':rate:' .. line) or 0) or 0
return {
  due and math.max(0, math.ceil(due - moment / 1000)) or -1,
  redis.call('ZRANK', queue, member(is[3], id)) or 0,
  line and tonumber(redis.call('HGET', t .. ':running', line) or 0) or 0,
  math.max(0, till - (burst - 1) * interval - moment),
  is[4],
  is[5],
}
