-- Gives a ticket to a connection, and forgets those of the user that have ended.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 user  2 ticket  3 connection  4 1: it may be opened, 0: it must have been  5 its end, in ms  6 the time now, in ms
--       7 the user's limit of tickets
-- Returns 'opened', for the first time; 'again'; 'refused': it was never opened, and may not be
local t, id, now = KEYS[1] .. ':owner:' .. ARGV[1], ARGV[2], ARGV[6]
local ends, holders = t .. ':tickets', t .. ':ticket-holders'
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('ZREM', ends, name)
    redis.call('HDEL', holders, name)
  end
end
forget(redis.call('ZRANGEBYSCORE', ends, '-inf', now))
local opened = redis.call('HEXISTS', holders, id) == 1
if not opened and ARGV[4] == '0' then return 'refused' end
if not opened then forget(redis.call('ZRANGE', ends, 0, -tonumber(ARGV[7]))) end
redis.call('ZADD', ends, ARGV[5], id)
redis.call('HSET', holders, id, ARGV[3])
local last = redis.call('ZRANGE', ends, -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', ends, last)
redis.call('PEXPIREAT', holders, last)
return opened and 'again' or 'opened'
