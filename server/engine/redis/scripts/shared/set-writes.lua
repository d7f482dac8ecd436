-- Entries of sorted sets, written in one call to each set at the end (`write_sets`).
local sets = {}

local function members_of(set)
  local members = sets[set] or {}
  sets[set] = members
  return members
end
-- `score` false removes the member.
local function place(set, member, score) members_of(set)[member] = score end
-- In the set of an owner and in the tenant's. The names are made once for all changes: that costs more than what is placed.
local both = {}
local function place_in_both(owner, set, member, score)
  local of = both[owner] or {}
  both[owner] = of
  local pair = of[set]
  if not pair then
    pair = {members_of(t .. ':owner:' .. owner .. set), members_of(t .. set)}
    of[set] = pair
  end
  pair[1][member], pair[2][member] = score, score
end
local function write_sets()
  for set, members in pairs(sets) do
    local places, left = {}, {}
    for member, score in pairs(members) do
      if score then
        places[#places + 1] = score
        places[#places + 1] = member
      else
        left[#left + 1] = member
      end
    end
    if #places > 0 then redis.call('ZADD', set, unpack(places)) end
    if #left > 0 then redis.call('ZREM', set, unpack(left)) end
  end
end
