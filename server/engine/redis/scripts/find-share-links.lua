-- Finds share links that have not ended.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 the time now, in ms  then pairs: tenant, <stream>:<id>
-- Returns the record of each; '' for one that does not count
local p, now, found = KEYS[1], tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local ends = redis.call('ZSCORE', p .. ':share-links:' .. ARGV[i], ARGV[i + 1])
  local record = ends and tonumber(ends) > now
    and redis.call('HGET', p .. ':share-link-records:' .. ARGV[i], ARGV[i + 1])
  found[#found + 1] = record or ''
end
return found
