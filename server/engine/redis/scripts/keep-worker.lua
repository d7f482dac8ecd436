-- Announces a worker, or withdraws it, and returns the workers whose announcements hold.
--
-- KEYS  1 prefix of the ring
-- ARGV  1 worker or "" to read only  2 for how long in ms; 0 withdraws it
local workers = KEYS[1] .. ':workers'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[1] ~= '' then
  redis.call('ZADD', workers, now + ARGV[2], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
end
return redis.call('ZRANGE', workers, '(' .. string.format('%.0f', now), '+inf', 'BYSCORE')
