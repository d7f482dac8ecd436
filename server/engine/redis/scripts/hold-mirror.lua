-- Takes the mirror of an outside queue, or prolongs the lease of the one that has it.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 name of the mirror  2 holder  3 ms of the lease; 0 ends it  4 position to store, or ""
-- Returns {}: another holder has it; {stored position, or ""}
local mirror, holder, lease, position = KEYS[1] .. ':mirror:' .. ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local held = redis.call('GET', mirror .. ':holder')
if held and held ~= holder then return {} end
if lease > 0 then
  redis.call('SET', mirror .. ':holder', holder, 'PX', lease)
else
  redis.call('DEL', mirror .. ':holder')
end
if position ~= '' then redis.call('SET', mirror .. ':position', position) end
return {redis.call('GET', mirror .. ':position') or ''}
