-- Gives a batch to another owner of its tenant. May run twice.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 batch id  2 constant fields with the new owner  3 owner before  4 new owner
-- Returns 1, or 0 if the batch does not exist, or is on its way to another tenant
local t, id = KEYS[1], ARGV[1]
local from, to = t .. ':owner:' .. ARGV[3], t .. ':owner:' .. ARGV[4]
local batch = t .. ':batch:' .. id
if redis.call('EXISTS', batch) == 0 or redis.call('HEXISTS', batch, 'moving') == 1 then return 0 end

redis.call('HSET', batch, 'b', ARGV[2])
local n = redis.call('ZSCORE', t .. ':batches', id)
redis.call('ZREM', from .. ':batches', id)
redis.call('ZADD', to .. ':batches', n, id)
local key = redis.call('HGET', batch, 'key')
if key and key ~= '' then
  redis.call('HDEL', from .. ':batch-keys', key)
  if redis.call('HSETNX', to .. ':batch-keys', key, id) == 0 then redis.call('HSET', batch, 'key', '') end
end
return 1
