-- Appends a piece to the draft of the attempt that holds the claim. The first piece of an attempt deletes earlier ones.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 job id  2 token of the claim  3 op: idempotency key of this call
--       4 text as JSON  5 its length in UTF-16 units  6 length that the draft is to have before, or -1: then it stays if it differs
-- Returns {"ok", length of the draft}; {"gone"}: the job does not exist; {"lost"}: the claim does not hold; {"idle", status}
local t, id, token, op, text, length = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job, draft = t .. ':job:' .. id, t .. ':draft:' .. id
local is = redis.call('HMGET', job, 'st', 'held', 'token', 'a', 'd.seq', 'd.attempt', 'd.end', 'd.op')
if not is[1] then return {'gone'} end
if is[2] ~= '1' or is[3] ~= token then return {'lost'} end
if is[1] ~= 'PROCESSING' then return {'idle', is[1]} end

local is_first, at = is[6] ~= is[4], tonumber(ARGV[6])
local start = is_first and 0 or tonumber(is[7] or 0)
if is[8] == op or (at >= 0 and at ~= start) then return {'ok', start} end
if is_first then redis.call('UNLINK', draft) end
local seq = tonumber(is[5] or 0) + 1
redis.call('RPUSH', draft, '[' .. is[4] .. ',' .. start .. ',' .. text .. ']')
redis.call('HSET', job, 'd.seq', seq, 'd.attempt', is[4], 'd.end', start + tonumber(length),
  'd.op', op)
redis.call('SPUBLISH', t .. ':hint:draft:' .. id, '')
return {'ok', start + tonumber(length)}
