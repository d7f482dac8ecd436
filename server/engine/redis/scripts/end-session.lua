-- Deletes a session if this connection holds it.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner:id  2 holder
local t, ref, holder = KEYS[1], ARGV[1], ARGV[2]
local session = t .. ':session:' .. ref
if redis.call('HGET', session, 'holder') ~= holder then return end
redis.call('DEL', session)
redis.call('ZREM', t .. ':sessions', ref)
