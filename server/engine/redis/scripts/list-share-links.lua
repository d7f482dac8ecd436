-- Lists the share links of a stream that have not ended.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 tenant  2 stream  3 the time now, in ms
-- Returns their records
local p, tenant, start, found = KEYS[1], ARGV[1], ARGV[2] .. ':', {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', p .. ':share-links:' .. tenant, '(' .. ARGV[3], '+inf')) do
  if string.sub(name, 1, #start) == start then
    found[#found + 1] = redis.call('HGET', p .. ':share-link-records:' .. tenant, name)
  end
end
return found
