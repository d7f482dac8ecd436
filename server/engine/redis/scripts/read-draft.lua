-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 the piece after which to begin
-- Returns {status, newest seq, pieces as XRANGE gives them}, or {} where there is no such job
local t, id, after = KEYS[1], ARGV[1], ARGV[2]
local is = redis.call('HMGET', t .. ':job:' .. id, 'st', 'd.seq')
if not is[1] then return {} end
return {is[1], is[2] or '0', redis.call('XRANGE', t .. ':draft:' .. id, '(' .. after .. '-0', '+')}
