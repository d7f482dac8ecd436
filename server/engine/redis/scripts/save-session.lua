-- Saves the subscriptions of a client, if this connection holds its session.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner:id  2 holder  3 1: these are all entries, 0: only these changed  4 time to live in ms
--       5 the tenant's limit of sessions  then pairs: name, value ('' deletes the entry)
-- Returns 'saved'; 'missing': there is no session, and these are not all entries; 'taken': another connection holds it
local t, ref, holder, whole, kept, most =
  KEYS[1], ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])
local session, index = t .. ':session:' .. ref, t .. ':sessions'
local held = redis.call('HGET', session, 'holder')
if held and held ~= holder then return 'taken' end
if not held and not whole then return 'missing' end

if whole then redis.call('DEL', session) end
redis.call('HSET', session, 'holder', holder)
for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', session, '=' .. ARGV[i])
  else redis.call('HSET', session, '=' .. ARGV[i], ARGV[i + 1]) end
end
redis.call('PEXPIRE', session, kept)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', index, now + kept, ref)
redis.call('PEXPIRE', index, kept)
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
local over = redis.call('ZCARD', index) - most
if over > 0 then
  local oldest = redis.call('ZPOPMIN', index, over)
  for i = 1, #oldest, 2 do redis.call('DEL', t .. ':session:' .. oldest[i]) end
end
return 'saved'
