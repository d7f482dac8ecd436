-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 seq of the line after which to begin  3 the most lines to return
-- Returns {status, newest seq, seq before the first returned line, lines}, or {} if the job does not exist
local t, id, after, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local lines = t .. ':lines:' .. id
local is = redis.call('HMGET', t .. ':job:' .. id, 'st', 'l.seq')
if not is[1] then return {} end
local newest = tonumber(is[2] or 0)
-- The oldest lines are deleted, but their seqs still count.
local gone = newest - redis.call('LLEN', lines)
local from = math.max(after, gone)
return {is[1], newest, from, redis.call('LRANGE', lines, from - gone, from - gone + limit - 1)}
