-- Replaces the steps of tenants whose weight is not 1. May run twice.
--
-- KEYS  1 prefix of the ring
-- ARGV  tenant, step, …
redis.call('DEL', KEYS[1] .. ':steps')
if #ARGV > 0 then redis.call('HSET', KEYS[1] .. ':steps', unpack(ARGV)) end
-- `alwaysThere`, also after Redis lost the ring.
redis.call('SETNX', KEYS[1] .. ':n', 0)
return 1
