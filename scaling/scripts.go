package scaling

import "github.com/redis/go-redis/v9"

// Everything about one channel is under keys with the same hash tag, so that one script can change it
// and publish the change in one step. There are as many tags as buckets. With base = prefix{bN}: and
// chan = app:channel the keys are
//
//	base m:chan   hash   user → number of the join ":" member, as all nodes see them
//	base r:chan   hash   user → how many nodes hold the user
//	base h:chan:node  set  users the node holds
//	base s:chan   string number of the last change
//	base o:chan   hash   node → its subscriptions
//	base k:chan   string the event a cache channel keeps
//	base l        set    channels with a subscription
//	base n:node   set    channels the node has anything of
//	base q        hash   node → number of its last publish
//	base x        stream the last messages of the bucket, for those who missed them
//	base c:chan   pub/sub channel
//
// All scripts take base as their only key, and node, publish command and stream length first.
const scriptHead = `
local base, node, publish, maxlen = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local function nextSeq(chan)
  local key = base .. 's:' .. chan
  if redis.call('EXISTS', key) == 0 then
    -- Later than any number that was used before, should the key have been lost.
    local t = redis.call('TIME')
    redis.call('SET', key, string.format('%d%06d', t[1], t[2]))
  end
  redis.call('PERSIST', key)
  return string.format('%020.0f', redis.call('INCR', key))
end

-- emit publishes, and keeps what was published for a minute, or as long as there is room.
local function emit(chan, envelope)
  local stream = base .. 'x'
  local id = redis.call('XADD', stream, 'MINID', '~', redis.call('TIME')[1] * 1000 - 60000, '*', 'c', chan, 'e', envelope)
  if redis.call('XLEN', stream) > tonumber(maxlen) then
    redis.call('XTRIM', stream, 'MAXLEN', '~', maxlen)
  end
  redis.call('EXPIRE', stream, 600)
  redis.call(publish, base .. 'c:' .. chan, id .. ' ' .. envelope)
  return id
end

-- forget drops what an empty channel leaves behind. Its number stays for a while: a node that still
-- listens must not see it start again.
local function forget(chan)
  if redis.call('EXISTS', base .. 'm:' .. chan) == 0 then
    redis.call('PEXPIRE', base .. 's:' .. chan, 3600000)
  end
  if redis.call('EXISTS', base .. 'h:' .. chan .. ':' .. node) == 0 and redis.call('HEXISTS', base .. 'o:' .. chan, node) == 0 then
    redis.call('SREM', base .. 'n:' .. node, chan)
  end
end

-- join returns 1 if the user is new in the channel, -1 if there is no room.
local function join(chan, limit, user, member)
  if limit ~= '0' and redis.call('HEXISTS', base .. 'm:' .. chan, user) == 0 and redis.call('HLEN', base .. 'm:' .. chan) >= tonumber(limit) then
    return -1
  end
  redis.call('SADD', base .. 'n:' .. node, chan)
  if redis.call('SADD', base .. 'h:' .. chan .. ':' .. node, user) == 1 then
    redis.call('HINCRBY', base .. 'r:' .. chan, user, 1)
  end
  local known = redis.call('HGET', base .. 'm:' .. chan, user)
  if not known then
    local seq = nextSeq(chan)
    redis.call('HSET', base .. 'm:' .. chan, user, seq .. ':' .. member)
    emit(chan, 'RA' .. seq .. member)
    return 1
  end
  if string.sub(known, 22) ~= member then
    redis.call('HSET', base .. 'm:' .. chan, user, string.sub(known, 1, 21) .. member)
    emit(chan, 'RU' .. nextSeq(chan) .. member)
  end
  return 0
end

local function leave(chan, user)
  if redis.call('SREM', base .. 'h:' .. chan .. ':' .. node, user) == 0 then
    return 0
  end
  if redis.call('HINCRBY', base .. 'r:' .. chan, user, -1) > 0 then
    return 0
  end
  redis.call('HDEL', base .. 'r:' .. chan, user)
  local known = redis.call('HGET', base .. 'm:' .. chan, user)
  if not known then
    return 0
  end
  redis.call('HDEL', base .. 'm:' .. chan, user)
  emit(chan, 'RX' .. nextSeq(chan) .. string.sub(known, 22))
  return 1
end

-- count sets the node's subscriptions and returns 1 if the channel became occupied, -1 if vacated.
local function count(chan, n)
  local key = base .. 'o:' .. chan
  local before = redis.call('EXISTS', key)
  if n == '0' then
    redis.call('HDEL', key, node)
  else
    redis.call('HSET', key, node, n)
    redis.call('SADD', base .. 'n:' .. node, chan)
  end
  local after = redis.call('EXISTS', key)
  if after > before then
    redis.call('SADD', base .. 'l', chan)
  elseif after < before then
    redis.call('SREM', base .. 'l', chan)
  end
  return after - before
end
`

var (
	// scriptPublish publishes an event unless it has been: a publisher that does not know whether its
	// last try arrived tries again. ARGV: number of the publish, channel, envelope, milliseconds to
	// keep it for.
	scriptPublish = redis.NewScript(scriptHead + `
local last = redis.call('HGET', base .. 'q', node)
if last and tonumber(last) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', base .. 'q', node, ARGV[4])
local id = emit(ARGV[5], ARGV[6])
if ARGV[7] ~= '0' then
  redis.call('SET', base .. 'k:' .. ARGV[5], id .. ' ' .. ARGV[6], 'PX', ARGV[7])
end
return 1
`)

	// scriptJoin: ARGV channel, limit, user, member.
	scriptJoin = redis.NewScript(scriptHead + `return join(ARGV[4], ARGV[5], ARGV[6], ARGV[7])`)

	// scriptLeave: ARGV channel, user. Returns 1 if the user has left the channel.
	scriptLeave = redis.NewScript(scriptHead + `
local left = leave(ARGV[4], ARGV[5])
forget(ARGV[4])
return left
`)

	// scriptCount: ARGV channel, number. Returns the transition and the number of all nodes.
	scriptCount = redis.NewScript(scriptHead + `
local transition, total = count(ARGV[4], ARGV[5]), 0
for _, n in ipairs(redis.call('HVALS', base .. 'o:' .. ARGV[4])) do
  total = total + n
end
forget(ARGV[4])
return {transition, total}
`)

	// scriptSync makes the node's part of a channel what it says, and returns the channel. ARGV: channel,
	// limit, subscriptions, the number of the last change that the node knows, whether it departs and takes nothing back, then
	// user and member for each user.
	scriptSync = redis.NewScript(scriptHead + `
local chan, departs, transition, held, joined, refused = ARGV[4], ARGV[8] == '1', 0, {}, {}, {}
if not departs then
  transition = count(chan, ARGV[6])
end
if tonumber(redis.call('GET', base .. 's:' .. chan) or 0) < tonumber(ARGV[7]) then
  -- Members were lost, perhaps with the clock set back, or by a master that lags: all have to notice that numbers jump.
  local t = redis.call('TIME')
  redis.call('SET', base .. 's:' .. chan, string.format('%.0f', math.max(t[1] * 1000000 + t[2], ARGV[7] + 1000000)))
end
for i = 9, #ARGV, 2 do
  held[ARGV[i]] = true
  local result = join(chan, ARGV[5], ARGV[i], ARGV[i + 1])
  if result == 1 then
    joined[#joined + 1] = ARGV[i]
  elseif result == -1 then
    refused[#refused + 1] = ARGV[i]
  end
end
for _, user in ipairs(redis.call('SMEMBERS', base .. 'h:' .. chan .. ':' .. node)) do
  if not held[user] and not departs then
    leave(chan, user)
  end
end
forget(chan)
return {
  redis.call('GET', base .. 's:' .. chan) or '0',
  redis.call('HVALS', base .. 'm:' .. chan),
  redis.call('GET', base .. 'k:' .. chan) or '',
  redis.call('PTTL', base .. 'k:' .. chan),
  transition,
  joined,
  refused,
}
`)

	// scriptHeld returns the channels of a bucket that the node has anything of.
	scriptHeld = redis.NewScript(scriptHead + `return redis.call('SMEMBERS', base .. 'n:' .. node)`)

	// scriptPurge removes all that a node has in a bucket. Returns the channels vacated, and channel and
	// user of those who have left.
	scriptPurge = redis.NewScript(scriptHead + `
local vacated, left = {}, {}
for _, chan in ipairs(redis.call('SMEMBERS', base .. 'n:' .. node)) do
  for _, user in ipairs(redis.call('SMEMBERS', base .. 'h:' .. chan .. ':' .. node)) do
    if leave(chan, user) == 1 then
      left[#left + 1] = chan
      left[#left + 1] = user
    end
  end
  if count(chan, '0') == -1 then
    vacated[#vacated + 1] = chan
  end
  forget(chan)
end
redis.call('DEL', base .. 'n:' .. node)
redis.call('HDEL', base .. 'q', node)
return {vacated, left}
`)

	// scriptKeep keeps an event that was not published here, under the time of now for its ID. If another node
	// has said the same, only the time it is kept for begins again. ARGV: channel, envelope, milliseconds.
	scriptKeep = redis.NewScript(scriptHead + `
local key = base .. 'k:' .. ARGV[4]
local known = redis.call('GET', key)
if known and string.sub(known, string.find(known, ' ', 1, true) + 1) == ARGV[5] then
  redis.call('PEXPIRE', key, ARGV[6])
  return 0
end
local t = redis.call('TIME')
local id = string.format('%.0f-0', t[1] * 1000 + math.floor(t[2] / 1000))
local last = redis.call('XREVRANGE', base .. 'x', '+', '-', 'COUNT', 1)[1]
if last and tonumber(string.match(last[1], '^%d+')) >= tonumber(string.match(id, '^%d+')) then
  id = last[1]
end
redis.call('SET', key, id .. ' ' .. ARGV[5], 'PX', ARGV[6])
return 1
`)

	// scriptBeat renews a node's lease and looks for those that have run out, by the clock of Redis.
	// KEYS: leases, descriptions, dead, old. ARGV: node, lease in milliseconds, description, whether the
	// node is new. Returns whether the lease was still there, the dead nodes, and all descriptions. A
	// node that was taken for dead gets none again: what it has done since is purged after a while. A dead one is
	// purged again then, too: it may have done something before it found out, and never have found out.
	scriptBeat = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local known = ARGV[4] == '1' or redis.call('ZSCORE', KEYS[1], ARGV[1])
if known then
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
else
  redis.call('ZADD', KEYS[4], now + ARGV[2], ARGV[1])
end
for i, key in ipairs({KEYS[1], KEYS[4]}) do
  -- No lease is that long: the clock of Redis was set back, and the node may be dead.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', now + ARGV[2] + 60000), '+inf')) do
    redis.call('ZADD', key, now + ARGV[2], id)
  end
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. string.format('%.0f', now))) do
    redis.call('ZREM', key, dead)
    redis.call('HDEL', KEYS[2], dead)
    redis.call('SADD', KEYS[3], dead)
    if i == 1 then
      redis.call('ZADD', KEYS[4], now + ARGV[2], dead)
    end
  end
end
return {known and 1 or 0, redis.call('SMEMBERS', KEYS[3]), redis.call('HGETALL', KEYS[2])}
`)

	scripts = []*redis.Script{scriptPublish, scriptJoin, scriptLeave, scriptCount, scriptSync, scriptHeld, scriptPurge, scriptKeep, scriptBeat}
)
