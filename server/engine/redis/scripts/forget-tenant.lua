-- Deletes the tenant of jobs and batches from the directory, unless they have gone to another tenant meanwhile.
--
-- KEYS  1 prefix of the directory
-- ARGV  1 tenant  then ids
local directory, tenant = KEYS[1], ARGV[1]
for i = 2, #ARGV do
  local part = directory .. ':' .. string.sub(ARGV[i], -3)
  if redis.call('HGET', part, ARGV[i]) == tenant then redis.call('HDEL', part, ARGV[i]) end
end
return 1
