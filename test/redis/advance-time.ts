/** For tests: advances the clock of Redis, as far as the engine reads it. */
import { type Client, mastersOf } from "#server/engine/redis/client.ts";
import { createKeys } from "#server/engine/redis/keys.ts";

/** Sorted sets whose scores are times in ms. */
const TIMES = [
  "presence:nodes",
  "delayed",
  "leased",
  "expiring",
  "closed",
  // Of the ring.
  "alarms",
  "opens",
  "workers",
];
/** The same, of a kind or a line: how their names begin. */
const TIMES_OF = ["queue:", "line:", "heads:", "permits:"];

/**
 * On one node, in one step: the models of the suite call this hundreds of times. Arguments: the prefix, the ms, and the two
 * lists above as JSON. `name` is a key without its tenant.
 */
const SCRIPT = `
local prefix, ms = ARGV[1] .. ':', tonumber(ARGV[2])
local times, timesOf = {}, cjson.decode(ARGV[4])
for _, each in ipairs(cjson.decode(ARGV[3])) do times[each] = true end

local function beginsWith(text, start) return text:sub(1, #start) == start end
local function isOfTimes(name)
  if times[name] then return true end
  for _, start in ipairs(timesOf) do
    if beginsWith(name, start) then return true end
  end
  return false
end
local function is(key, type) return redis.call('TYPE', key).ok == type end
local function whole(number) return string.format('%.0f', number) end

for _, key in ipairs(redis.call('KEYS', prefix .. '{*}:*')) do
  local name = key:sub(key:find('}:', 1, true) + 2)
  if beginsWith(name, 'session:') or beginsWith(name, 'presence:') or name:find('^mirror:.*:holder$') then
    local left = redis.call('PTTL', key)
    if left > ms then redis.call('PEXPIRE', key, whole(left - ms)) else redis.call('DEL', key) end
  end
  if isOfTimes(name) then
    if is(key, 'zset') then
      for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        redis.call('ZINCRBY', key, whole(-ms), member)
      end
    end
  elseif beginsWith(name, 'rate:') then
    -- Redis keeps it as long as it says something.
    local untilMicros, left = redis.call('GET', key), redis.call('PTTL', key)
    if left <= ms then
      redis.call('DEL', key)
    else
      redis.call('SET', key, whole(tonumber(untilMicros) - ms * 1000), 'PX', whole(left - ms))
    end
  elseif beginsWith(name, 'reacted:') then
    redis.call('DEL', key)
  elseif beginsWith(name, 'job:') then
    if is(key, 'hash') then
      for _, field in ipairs({ 'rank', 'x' }) do
        if redis.call('HEXISTS', key, field) == 1 then
          redis.call('HINCRBYFLOAT', key, field, whole(-ms))
        end
      end
    end
  elseif key == prefix .. '{:turns}:rates' then
    local rates = redis.call('HGETALL', key)
    for n = 1, #rates, 2 do
      local untilMicros, reserved = rates[n + 1]:match('^(%S+) (%S+)$')
      local before = whole(tonumber(untilMicros) - ms * 1000)
      redis.call('HSET', key, rates[n], before .. ' ' .. reserved)
    end
  end
end
`;

/** Ages each session, key of presence, lease of a mirror, place in the queue, lease, delay, rate and worker by `ms`, and wakes all that wait for work. */
export async function advanceTime(
  { client }: { client: Client },
  prefix: string,
  ms: number,
): Promise<void> {
  const args = [prefix, ms, JSON.stringify(TIMES), JSON.stringify(TIMES_OF)];
  await Promise.all(mastersOf(client).map((node) => node.eval(SCRIPT, 0, ...args)));
  await client.spublish(createKeys(prefix).workHints, "");
}
