-- Stores an API key.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 id  2 SHA-256 of the key  3 tenant  4 what its maker says of it, as JSON  5 when it was created, in ms
--       6 when it expires, in ms; '' if it does not  7 the tenant's limit of keys
-- Returns the key's fields as HGETALL does; {}: the tenant has as many keys as it may
local p, id, hash, tenant, made, created, expires, most =
  KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local key, list = p .. ':key:' .. id, p .. ':of:' .. tenant
-- A repeated call, whose first answer was lost.
if redis.call('EXISTS', key) == 1 then return redis.call('HGETALL', key) end

local function ended(other)
  local is = redis.call('HMGET', p .. ':key:' .. other, 'revoked', 'expires')
  local ends = tonumber(is[2] or '')
  return is[1] or (ends and ends <= created)
end
local function make_room()
  for _, other in ipairs(redis.call('ZRANGE', list, 0, -1)) do
    if ended(other) then
      redis.call('HDEL', p .. ':hashes', redis.call('HGET', p .. ':key:' .. other, 'hash'))
      redis.call('ZREM', p .. ':all', other)
      redis.call('ZREM', list, other)
      redis.call('DEL', p .. ':key:' .. other)
      return true
    end
  end
end
if redis.call('ZCARD', list) >= most and not make_room() then return {} end

local n = redis.call('INCR', p .. ':n')
redis.call('HSET', key, 'id', id, 'n', n, 'hash', hash, 'made', made, 'created', ARGV[5], 'expires', expires)
redis.call('HSET', p .. ':hashes', hash, id)
redis.call('ZADD', p .. ':all', n, id)
redis.call('ZADD', list, n, id)
return redis.call('HGETALL', key)
