-- Writes the new tenant of jobs and batches to the directory. May run twice.
--
-- KEYS  1 prefix of the directory
-- ARGV  1 tenant before  2 new tenant  then ids
local directory, from, to = KEYS[1], ARGV[1], ARGV[2]
for i = 3, #ARGV do
  local part = directory .. ':' .. string.sub(ARGV[i], -3)
  local is = redis.call('HGET', part, ARGV[i])
  -- The directory may have lost the entry: nodes of a cluster fail over separately.
  if is == from or not is then redis.call('HSET', part, ARGV[i], to) end
end
return 1
