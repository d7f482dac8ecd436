-- Says who is with a process (a node) of a tenant, and forgets the nodes whose time is over.
--
--   presence:nodes            sorted set: nodes by the end of their time
--   presence:of:<node>        set: the topics of which a node has said something
--   presence:<topic>:at:<node>  set: who is there with a node
--   presence:<topic>:refs     hash: with how many nodes each is there
--   presence:<topic>:people   sorted set: user ids by the time at which they came; presence:<topic>:guests the same
--   presence:<topic>:typing   hash: who writes, with the node that said so last
--   presence:<topic>:rev      the newest change, nearly the time in ms
--
-- A node that says a topic anew hands its people of before to a node of its own, `<node>:was:<topic>`, from which each `join` takes
-- one back: so readers see no crowd go and come, however many calls it takes. Those who are left at `settle` go as people of a dead
-- node do.
--
-- Each call that touches a topic forgets the dead nodes first, and the keys of nodes live twice as long as those of topics: so
-- no topic outlives what says who of it was with a dead node.
--
-- KEYS  1 prefix of the tenant's keys
-- ARGV  1 node  2 its time to live in ms  3 the most people of dead nodes to forget in this call  4 number of held topics
--       then pairs: topic, number of people with this node;  then: topic, change, who or '', time in ms or ''
-- Returns {1: there are more dead nodes to forget, else 0; then the held topics whose number is another}
local t, node, ttl, budget, held = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local p = t .. ':presence:'
local nodes, mine = p .. 'nodes', p .. 'of:' .. node
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local kept = 4 * ttl
local changed, touched = {}, {}

local function key(topic, name) return p .. topic .. ':' .. name end
local function listOf(who) return string.sub(who, 1, 1) == 'u' and 'people' or 'guests' end

local function beforeOf(topic) return node .. ':was:' .. topic end

local function join(topic, who, since)
  if redis.call('SADD', key(topic, 'at:' .. node), who) == 0 then return end
  if redis.call('SREM', key(topic, 'at:' .. beforeOf(topic)), who) == 1 then return end
  if redis.call('HINCRBY', key(topic, 'refs'), who, 1) > 1 then return end
  -- A node whose clock is ahead would put its people before all others for as long.
  redis.call('ZADD', key(topic, listOf(who)), math.min(tonumber(since), now), who)
  changed[topic] = true
end

local function leave(topic, who, from)
  if redis.call('SREM', key(topic, 'at:' .. from), who) == 0 then return end
  touched[topic] = true
  if redis.call('HINCRBY', key(topic, 'refs'), who, -1) > 0 then return end
  redis.call('HDEL', key(topic, 'refs'), who)
  redis.call('ZREM', key(topic, listOf(who)), who)
  redis.call('HDEL', key(topic, 'typing'), who)
  changed[topic] = true
end

local function stop(topic, who)
  if redis.call('HDEL', key(topic, 'typing'), who) == 1 then changed[topic] = true end
end

-- Ends what a node said of those who write.
local function stopAll(topic, by)
  local typing = redis.call('HGETALL', key(topic, 'typing'))
  for i = 1, #typing, 2 do
    if typing[i + 1] == by then stop(topic, typing[i]) end
  end
end

-- Returns false where the budget does not reach.
local function forget(gone)
  local of = p .. 'of:' .. gone
  local topic = redis.call('SRANDMEMBER', of)
  while topic do
    if budget <= 0 then return false end
    for _, who in ipairs(redis.call('SRANDMEMBER', key(topic, 'at:' .. gone), budget)) do
      leave(topic, who, gone)
      budget = budget - 1
    end
    if redis.call('EXISTS', key(topic, 'at:' .. gone)) == 1 then return false end
    stopAll(topic, gone)
    budget = budget - 1
    redis.call('SREM', of, topic)
    topic = redis.call('SRANDMEMBER', of)
  end
  redis.call('ZREM', nodes, gone)
  return true
end

local function reset(topic)
  stopAll(topic, node)
  local at, before = key(topic, 'at:' .. node), beforeOf(topic)
  if redis.call('EXISTS', at) == 0 then return end
  redis.call('SUNIONSTORE', key(topic, 'at:' .. before), key(topic, 'at:' .. before), at)
  redis.call('DEL', at)
  redis.call('PEXPIRE', key(topic, 'at:' .. before), 2 * kept)
  redis.call('SADD', p .. 'of:' .. before, topic)
  redis.call('PEXPIRE', p .. 'of:' .. before, 2 * kept)
  -- If the node dies meanwhile.
  redis.call('ZADD', nodes, now + ttl, before)
end

local more = 0

local function settle(topic)
  local before = beforeOf(topic)
  if redis.call('EXISTS', key(topic, 'at:' .. before)) == 1 then
    redis.call('ZADD', nodes, 0, before)
    more = 1
  elseif redis.call('DEL', p .. 'of:' .. before) == 1 then
    redis.call('ZREM', nodes, before)
  end
end

-- A node that is late itself, as all are after Redis was away, cannot tell that others are gone. They have half a heartbeat more.
if (tonumber(redis.call('ZSCORE', nodes, node) or now + 1)) <= now then
  for _, late in ipairs(redis.call('ZRANGE', nodes, '(0', now, 'BYSCORE')) do
    redis.call('ZADD', nodes, now + math.floor(ttl / 3), late)
  end
end
redis.call('ZADD', nodes, now + ttl, node)
for _, gone in ipairs(redis.call('ZRANGE', nodes, '-inf', now, 'BYSCORE')) do
  if not forget(gone) then
    more = 1
    break
  end
end

local answer = {}
local i = 5
for _ = 1, held do
  local topic, count = ARGV[i], tonumber(ARGV[i + 1])
  if redis.call('SCARD', key(topic, 'at:' .. node)) ~= count then answer[#answer + 1] = topic end
  touched[topic] = true
  i = i + 2
end
while i <= #ARGV do
  local topic, what, who, since = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  touched[topic] = true
  if what == 'done' then
    redis.call('SREM', mine, topic)
  else
    redis.call('SADD', mine, topic)
    if what == 'join' then join(topic, who, since)
    elseif what == 'leave' then leave(topic, who, node)
    elseif what == 'type' then
      if redis.call('HSET', key(topic, 'typing'), who, node) == 1 then changed[topic] = true end
    elseif what == 'stop' then stop(topic, who)
    elseif what == 'end' then
      if redis.call('HGET', key(topic, 'typing'), who) == node then stop(topic, who) end
    elseif what == 'reset' then reset(topic)
    elseif what == 'settle' then settle(topic)
    end
  end
  i = i + 4
end

for topic in pairs(changed) do
  local rev = math.max(now, (tonumber(redis.call('GET', key(topic, 'rev'))) or 0) + 1)
  redis.call('SET', key(topic, 'rev'), string.format('%.0f', rev), 'PX', kept)
  redis.call('SPUBLISH', t .. ':hint:presence:' .. topic, '')
end
-- Most beats change nothing, and find keys that still have most of their time.
for topic in pairs(touched) do
  local at = key(topic, 'at:' .. node)
  if changed[topic] or redis.call('PTTL', at) < 1.5 * kept then
    for _, name in ipairs({'refs', 'people', 'guests', 'typing', 'rev'}) do redis.call('PEXPIRE', key(topic, name), kept) end
    redis.call('PEXPIRE', at, 2 * kept)
  end
end
table.insert(answer, 1, more)
-- A node that ends has a short time to live, which must not cut that of the others, or the node itself would not be forgotten.
for _, name in ipairs({nodes, mine}) do
  if redis.call('PEXPIRE', name, 2 * kept, 'GT') == 0 then redis.call('PEXPIRE', name, 2 * kept, 'NX') end
end
return answer
