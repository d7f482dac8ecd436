-- Appends log lines to a mirrored job where none came since they were made, and deletes the oldest beyond the limit.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 number of the newest line that the caller knows  3 the most lines that a job keeps
--       then the lines: JSON without the opening bracket and the attempt
-- Returns the number of the newest line; -1: the job does not exist
local t, id, after, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local job, lines = t .. ':job:' .. id, t .. ':lines:' .. id
local is = redis.call('HMGET', job, 'st', 'a', 'l.seq')
if not is[1] then return -1 end
local newest = tonumber(is[3] or 0)
if newest ~= after or #ARGV == 3 then return newest end

local first = '[' .. (is[2] or 0) .. ','
for at = 4, #ARGV do redis.call('RPUSH', lines, first .. ARGV[at]) end
redis.call('LTRIM', lines, -most, -1)
redis.call('SPUBLISH', t .. ':hint:lines:' .. id, '')
return redis.call('HINCRBY', job, 'l.seq', #ARGV - 3)
