import { createHash } from "node:crypto";

/**
 * What runs inside Redis: each is atomic, on one key, and checks everything before its first write, for a script that
 * fails is not rolled back. In a record's hash `v` is the version, `e` the expiry and `p` the principal; every other
 * name has a `/` in it and is a field.
 */
export interface Script {
  readonly sha: string;
  readonly source: string;
}

function script(source: string): Script {
  return { sha: createHash("sha1").update(source).digest("hex"), source };
}

// unpack() takes some thousand values at most, so long lists go in pieces.
const PIECES = `
local function pieces(command, from, to)
  for i = from, to, 2000 do
    redis.call(command, KEYS[1], unpack(ARGV, i, math.min(i + 1999, to)))
  end
end`;

/** ARGV: now, expiresAt, milliseconds to keep it, principal or "", then names and texts. Answers 1, or 0: it is taken. */
export const CREATE: Script = script(`${PIECES}
local e = redis.call('HGET', KEYS[1], 'e')
if e and tonumber(e) > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', 1, 'e', ARGV[2])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'p', ARGV[4]) end
pieces('HSET', 5, #ARGV)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/**
 * ARGV: now, ifVersion or "", expiresAt or "", milliseconds to keep it, principal after "=" or "-" to clear it or "" to
 * keep it, how much the version grows, the step of `stepOf` or "", how many of the following are names and texts to set;
 * the rest are names to delete. Returns 1, 0 where no live record is there, 2 where the version differs. Where the
 * principal's set must live longer for it, it returns the principal and the expiry instead of 1.
 */
export const COMMIT: Script = script(`${PIECES}
local r = redis.call('HMGET', KEYS[1], 'e', 'v', 'p')
if not r[1] or tonumber(r[1]) <= tonumber(ARGV[1]) then return 0 end
if ARGV[2] ~= '' and ARGV[2] ~= r[2] then return 2 end
local sets = 8 + tonumber(ARGV[8])
pieces('HSET', 9, sets)
pieces('HDEL', sets + 1, #ARGV)
if ARGV[5] == '-' then redis.call('HDEL', KEYS[1], 'p')
elseif ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'p', string.sub(ARGV[5], 2)) end
if ARGV[6] ~= '0' then redis.call('HINCRBY', KEYS[1], 'v', ARGV[6]) end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'e', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  local steps = math.floor(ARGV[3] / ARGV[7]) - math.floor(r[1] / ARGV[7])
  if ARGV[5] == '' and r[3] and steps > 0 then return { r[3], ARGV[3] } end
elseif string.sub(ARGV[5], 1, 1) == '=' then
  return { string.sub(ARGV[5], 2), r[1] }
end
return 1`);

/**
 * A touch makes its principal's set live longer only where it takes the expiry past a multiple of this: four to eight
 * times while a session is used for its idle timeout, and not at every touch. A set lives for twice what the session has
 * left, an hour more, and so past the next two multiples: a process may die between a commit and the set's part. By
 * powers of two, for then each multiple of a longer step is one of every shorter, whatever the sessions' timeouts are.
 */
export const stepOf = (left: number): number => 2 ** Math.floor(Math.log2(Math.max(left / 4, 1)));

/** ARGV: now. Answers 1, or 0 where no live record is there. */
export const DESTROY: Script = script(`
local e = redis.call('HGET', KEYS[1], 'e')
if not e or tonumber(e) <= tonumber(ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])`);

// A principal's index is written before the record, so an entry without a record may be one whose record is on its
// way. Its score says until when that must be supposed, by the one clock that all writers of the index share: its own.
const CLOCK = `
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * ARGV: id, milliseconds within which its record is written, if at all, milliseconds that the set must live, a number
 * from 0 to 1. Where the set is long, returns some of its ids, from that part of it, that may be dead. A set without a
 * time to live has ids for which none was ever reckoned; so it keeps having none.
 */
export const INDEX: Script = script(`${CLOCK}
local left = redis.call('PTTL', KEYS[1])
redis.call('ZADD', KEYS[1], clock + ARGV[2], ARGV[1])
if left ~= -1 and left < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local size = redis.call('ZCARD', KEYS[1])
if size <= 100 then return {} end
local from = math.floor(ARGV[4] * (size - 8))
local ids = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], from, from + 7)) do
  if tonumber(redis.call('ZSCORE', KEYS[1], id)) < clock then table.insert(ids, id) end
end
return ids`);

/** ARGV: ids that were found to have no record. Takes those out whose record cannot be on its way any more. */
export const UNINDEX: Script = script(`${CLOCK}
for _, id in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], id)
  if score and tonumber(score) < clock then redis.call('ZREM', KEYS[1], id) end
end
return 1`);

/**
 * ARGV: "record", "index" or "layout", by the key's name. Removes the key where what it holds is the driver's, whole or
 * damaged: another application may use such a name.
 */
export const TEARDOWN: Script = script(`
local own
if ARGV[1] == 'record' then
  local r = redis.pcall('HMGET', KEYS[1], 'v', 'e')
  own = not r.err and (r[1] or r[2])
elseif ARGV[1] == 'index' then
  local r = redis.pcall('ZRANGE', KEYS[1], 0, 0)
  own = not r.err and r[1] and #r[1] == 32 and string.find(r[1], '^[0-9a-f]+$')
else
  own = redis.pcall('GET', KEYS[1]) == '1'
end
if own then return redis.call('UNLINK', KEYS[1]) end
return 0`);
