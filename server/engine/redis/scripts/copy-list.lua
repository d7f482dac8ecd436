-- Copies a part of a log, a draft or log lines to the tenant that is to have its job, before the job itself. The first part begins anew.
-- May run twice: a part that is there already, and one of a job that is there, change nothing.
--
-- KEYS  1 prefix of the new tenant's keys
-- ARGV  1 "log", "draft" or "lines"  2 job id  3 the number of entries before this part  then the entries
local t, id, before = KEYS[1], ARGV[2], tonumber(ARGV[3])
local list = t .. ':' .. ARGV[1] .. ':' .. id
if redis.call('EXISTS', t .. ':job:' .. id) == 1 then return 1 end
-- A new tenant has no counter yet (`alwaysThere`).
redis.call('INCRBY', t .. ':n', 0)
if before == 0 then redis.call('DEL', list) end
if redis.call('LLEN', list) == before then redis.call('RPUSH', list, unpack(ARGV, 4)) end
return 1
