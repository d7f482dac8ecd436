-- Makes another connection the holder of a session.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner:id  2 the new holder  3 time to live in ms
-- Returns the previous holder, then the entries: name, value, in turn; {} if there is no session
local t, ref, holder, kept = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local session = t .. ':session:' .. ref
local is = redis.call('HMGET', session, 'holder', 'before')
if not is[1] then return {} end
local before = is[1]
-- A repeated call, whose first answer was lost.
if before == holder then before = is[2] or '' end
redis.call('HSET', session, 'holder', holder, 'before', before)
redis.call('PEXPIRE', session, kept)

local clock = redis.call('TIME')
redis.call('ZADD', t .. ':sessions', clock[1] * 1000 + math.floor(clock[2] / 1000) + kept, ref)
redis.call('PEXPIRE', t .. ':sessions', kept)
local answer = {before}
local fields = redis.call('HGETALL', session)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 1) == '=' then
    answer[#answer + 1] = string.sub(fields[i], 2)
    answer[#answer + 1] = fields[i + 1]
  end
end
return answer
