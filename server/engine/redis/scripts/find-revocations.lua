-- Finds revocations of tokens and users.
--
-- KEYS  1 prefix of all API keys
-- ARGV  for each question: 1 tenant  2 user  3 SHA-256 of the token's jti, or ""
-- Returns for each: 1 if the token is revoked, else 0; the moment before which the user's tokens have ended, in ms, or "0"
local p, answer = KEYS[1], {}
for i = 1, #ARGV, 3 do
  local hash = ARGV[i + 2]
  local revoked = hash ~= '' and redis.call('ZSCORE', p .. ':revoked-tokens:' .. ARGV[i], hash)
  answer[#answer + 1] = revoked and 1 or 0
  answer[#answer + 1] = redis.call('ZSCORE', p .. ':revoked-users:' .. ARGV[i], ARGV[i + 1]) or '0'
end
return answer
