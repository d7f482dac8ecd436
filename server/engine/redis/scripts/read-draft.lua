-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 seq of the piece after which to begin
-- Returns {status, newest seq, seq before the first returned piece, pieces}, or {} if the job does not exist
local t, id, after = KEYS[1], ARGV[1], tonumber(ARGV[2])
local draft = t .. ':draft:' .. id
local is = redis.call('HMGET', t .. ':job:' .. id, 'st', 'd.seq')
if not is[1] then return {} end
local newest = tonumber(is[2] or 0)
-- Pieces of earlier attempts are deleted, but their seqs still count.
local gone = newest - redis.call('LLEN', draft)
local from = math.max(after, gone)
return {is[1], newest, from, redis.call('LRANGE', draft, from - gone, -1)}
