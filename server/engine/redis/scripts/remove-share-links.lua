-- Removes share links of a stream, and publishes the end of each.
--
-- KEYS  1 prefix of all API keys
-- ARGV  1 tenant  2 stream  3 id, or '' for all of the stream  4 the time now, in ms
-- Returns the number of those that had not ended
local p, tenant, start, id = KEYS[1], ARGV[1], ARGV[2] .. ':', ARGV[3]
local links, count = p .. ':share-links:' .. tenant, 0
local all = redis.call('ZRANGE', links, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local name = all[i]
  local own = string.sub(name, #start + 1)
  if string.sub(name, 1, #start) == start and (id == '' or id == own) then
    redis.call('ZREM', links, name)
    redis.call('HDEL', p .. ':share-link-records:' .. tenant, name)
    redis.call('SPUBLISH', p .. ':hint', cjson.encode({ kind = 'link', id = own }))
    if tonumber(all[i + 1]) > tonumber(ARGV[4]) then count = count + 1 end
  end
end
return count
