-- Where the ready jobs of a tenant wait. Those without a key are in `:queue:<kind>`, by their rank. Those with one are in a line,
-- `:line:<kind>\n<key>`, and `:heads:<kind>` has the first job of each line that is open. A line is closed while a limit of its
-- key holds its jobs back, as far as claims have noticed: `:closed` has it with the time in ms at which a rate opens it, or
-- without an end (+inf) until a job of it ends. `:ready` counts the ready jobs of each kind, `:running` the jobs that claims hold
-- of each line.
local t = KEYS[1]
-- As `rankOf` in turns.ts.
local LEVEL_MS = 600000
local function rank_of(time, priority) return time - (priority or 0) * LEVEL_MS end
-- The job's position in lists decides between equal ranks. A job that has come from another tenant has a negative one.
local WIDTH, LOWEST = 13, 2 ^ 40
local function member(n, id) return string.format('%0' .. WIDTH .. '.0f ', n + LOWEST) .. id end
local function id_of(place) return string.sub(place, WIDTH + 2) end
local function line_of(kind, key) return kind .. '\n' .. key end
local function count(hash, field, by)
  local n = redis.call('HINCRBY', t .. hash, field, by)
  if n <= 0 then redis.call('HDEL', t .. hash, field) end
  return n
end
local function is_free(kind) return redis.call('EXISTS', t .. ':queue:' .. kind, t .. ':heads:' .. kind) > 0 end

local function first_of(line) return redis.call('ZRANGE', t .. ':line:' .. line, 0, 0, 'WITHSCORES') end
-- Puts the first job of an open line among the heads, in place of the one that was there before, if any.
local function show(kind, key, before)
  local line, heads = line_of(kind, key), t .. ':heads:' .. kind
  local first = first_of(line)
  if before == first[1] then return end
  if before then redis.call('ZREM', heads, before .. ' ' .. key) end
  if first[1] and not redis.call('ZSCORE', t .. ':closed', line) then
    redis.call('ZADD', heads, first[2], first[1] .. ' ' .. key)
  end
end
-- `key` is false for a job that has none.
local function enter(kind, key, place, rank)
  local added
  if key then
    local line = line_of(kind, key)
    local before = first_of(line)[1]
    added = redis.call('ZADD', t .. ':line:' .. line, rank, place)
    show(kind, key, before)
  else
    added = redis.call('ZADD', t .. ':queue:' .. kind, rank, place)
  end
  if added == 1 then count(':ready', kind, 1) end
end
local function leave(kind, key, place)
  local removed
  if key then
    local line = line_of(kind, key)
    local before = first_of(line)[1]
    removed = redis.call('ZREM', t .. ':line:' .. line, place)
    show(kind, key, before)
  else
    removed = redis.call('ZREM', t .. ':queue:' .. kind, place)
  end
  if removed == 1 then count(':ready', kind, -1) end
end

local function close(kind, key, time) redis.call('ZADD', t .. ':closed', time, line_of(kind, key)) end
local function open(line)
  if redis.call('ZREM', t .. ':closed', line) == 1 then show(string.match(line, '^([^\n]*)\n(.*)$')) end
end
