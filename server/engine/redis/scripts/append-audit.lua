-- Adds an entry to the audit list of a tenant.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 op: idempotency key of this call  2 limit of the list, a space, entry
local t, op, entry = KEYS[1], ARGV[1], ARGV[2]
local audit = t .. ':audit'
-- A call may be sent twice, the second time within seconds.
local RECENT = 20
for _, each in ipairs(redis.call('XREVRANGE', audit, '+', '-', 'COUNT', RECENT)) do
  if each[2][4] == op then return end
end
local n = redis.call('INCR', t .. ':n')
redis.call('XADD', audit, 'MAXLEN', string.match(entry, '^%d+'), n .. '-0', 'e', entry, 'op', op)
