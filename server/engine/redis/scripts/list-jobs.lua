-- A page of the jobs of an owner or a tenant, newest first. Each kind and status has its own list; a page merges the lists that match the
-- filter. So it is with those of a schedule. For a batch, which is small, the script checks each job. It passes over batches that are hidden (`staged.lua`).
--
-- uses staged.lua
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 owner, or "" for all  2 upper bound of n, exclusive  3 page size  4 status or ""  5 kind or ""  6 batch id or ""
--       7 schedule id or ""
-- Returns {the newest rev, n, record, n, record, …}
local owner, before, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local status, kind, batch, schedule = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local o = owner == '' and t or t .. ':owner:' .. owner
local STATUSES = {'PENDING', 'PROCESSING', 'DELIVERED', 'BLOCKED', 'ABORTED'}
local CHUNK = 500
local page = {}
local hidden = hidden_ranges()
local is_hidden = false
for _, each in ipairs(hidden) do is_hidden = is_hidden or each[3] == batch end

local function range(key, from, count)
  return redis.call('ZRANGE', key, '(' .. from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
end
-- The position before the hidden batch that this one is in.
local function start_of(n)
  for _, each in ipairs(hidden) do
    if n > each[1] and n <= each[2] then return each[1] + 1 end
  end
  return nil
end

if batch == '' then
  local all = schedule == '' and o or o .. ':of:' .. schedule
  local kinds = kind == '' and redis.call('SMEMBERS', all .. ':kinds') or {kind}
  local statuses = status == '' and STATUSES or {status}
  for _, k in ipairs(kinds) do
    for _, s in ipairs(statuses) do
      local from, count = before, 0
      repeat
        local found, start = range(all .. ':jobs:' .. k .. ':' .. s, from, limit - count), nil
        for i = 1, #found, 2 do
          local n = tonumber(found[i + 1])
          start = start_of(n)
          if start then break end
          page[#page + 1], count = {n = n, id = found[i]}, count + 1
        end
        from = start and string.format('%.0f', start)
      until not from
    end
  end
  table.sort(page, function(a, b) return a.n > b.n end)
elseif schedule == '' and not is_hidden then
  repeat
    local found = range(t .. ':jobs-of:' .. batch, before, CHUNK)
    for i = 1, #found, 2 do
      local is = redis.call('HMGET', t .. ':job:' .. found[i], 'st', 'kind')
      before = found[i + 1]
      if (status == '' or is[1] == status) and (kind == '' or is[2] == kind) and
        redis.call('ZSCORE', o .. ':jobs:' .. is[2] .. ':' .. is[1], found[i]) then
        page[#page + 1] = {n = tonumber(before), id = found[i]}
      end
    end
  until #page >= limit or #found < 2 * CHUNK
end

local answer = {redis.call('GET', o .. ':rev') or redis.call('GET', t .. ':rev') or '0'}
for i = 1, math.min(#page, limit) do
  answer[#answer + 1] = page[i].n
  answer[#answer + 1] = redis.call('HGET', t .. ':job:' .. page[i].id, 's')
end
return answer
