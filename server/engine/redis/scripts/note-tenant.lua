-- Writes the tenant of jobs and batches to the directory, before they are stored.
--
-- KEYS  1 prefix of the directory
-- ARGV  1 tenant  then ids
-- Returns an id that already belongs to another tenant, or nil
local directory, tenant = KEYS[1], ARGV[1]
for i = 2, #ARGV do
  local id = ARGV[i]
  local part = directory .. ':' .. string.sub(id, -3)
  if redis.call('HSETNX', part, id, tenant) == 0 and redis.call('HGET', part, id) ~= tenant then
    return id
  end
end
return nil
