-- Reads who is at a topic, and who writes there, at one moment.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 topic  2 the most names
-- Returns {newest change, people, guests, number of those who write, {some who write}, {user, time in ms, user, time, …}}
local p, limit = KEYS[1] .. ':presence:' .. ARGV[1] .. ':', tonumber(ARGV[2])
local count = redis.call('HLEN', p .. 'typing')
-- The names of users alone, so twice as many as are wanted.
local typing = count <= 2 * limit and redis.call('HKEYS', p .. 'typing') or redis.call('HRANDFIELD', p .. 'typing', 2 * limit)
return {
  redis.call('GET', p .. 'rev') or '0',
  redis.call('ZCARD', p .. 'people'),
  redis.call('ZCARD', p .. 'guests'),
  count,
  typing,
  limit > 0 and redis.call('ZRANGE', p .. 'people', 0, limit - 1, 'REV', 'WITHSCORES') or {},
}
