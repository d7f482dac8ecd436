-- Appends log lines of the attempt that holds the claim, and deletes the oldest beyond the limit.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 token of the claim  3 op: idempotency key of this call  4 the most lines that a job keeps
--       then the lines: JSON without the opening bracket and the attempt
-- Returns {"ok"}; {"gone"}: the job does not exist; {"lost"}: the claim does not hold; {"idle", status}
local t, id, token, op, most = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local job, lines = t .. ':job:' .. id, t .. ':lines:' .. id
local is = redis.call('HMGET', job, 'st', 'held', 'token', 'a', 'l.op')
if not is[1] then return {'gone'} end
if is[2] ~= '1' or is[3] ~= token then return {'lost'} end
if is[1] ~= 'PROCESSING' then return {'idle', is[1]} end
if is[5] == op then return {'ok'} end

local first = '[' .. is[4] .. ','
for at = 5, #ARGV do redis.call('RPUSH', lines, first .. ARGV[at]) end
redis.call('LTRIM', lines, -most, -1)
redis.call('HINCRBY', job, 'l.seq', #ARGV - 4)
redis.call('HSET', job, 'l.op', op)
redis.call('SPUBLISH', t .. ':hint:lines:' .. id, '')
return {'ok'}
