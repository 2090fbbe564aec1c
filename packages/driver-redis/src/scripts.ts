import { createHash } from "node:crypto";
import type { StoredRecord } from "@sessions/core";

/**
 * A script that runs inside Redis. Each is atomic, on one key, and checks everything before its first write, because
 * Redis does not roll a failed script back. In a record's hash `v` is the version, `e` the expiry and `p` the
 * principal; every other name contains a `/` and is a field.
 */
export interface Script {
  readonly sha: string;
  readonly source: string;
}

const RECORD_NAMES = ["v", "e", "p"] as const;

/** The names and texts in HGETALL's reply: a list of them in turn, a list of pairs, a Map, or an object. */
function* entriesOf(reply: unknown): Iterable<readonly [unknown, unknown]> {
  if (reply instanceof Map) yield* reply;
  else if (!Array.isArray(reply)) yield* Object.entries(Object(reply));
  else if (Array.isArray(reply[0])) for (const [name, text] of reply) yield [name, text];
  else for (let i = 0; i < reply.length; i += 2) yield [reply[i], reply[i + 1]];
}

/** Reads a record from HGETALL's reply. Returns `undefined` where there is no hash, or one that is no record. */
export function parseRecord(reply: unknown): StoredRecord | undefined {
  const fields = new Map<string, string>();
  for (const [name, text] of entriesOf(reply)) fields.set(String(name), String(text));
  const [version, expiresAt, principal] = RECORD_NAMES.map((name) => fields.get(name));
  if (version === undefined || expiresAt === undefined) return undefined;
  for (const name of RECORD_NAMES) fields.delete(name);
  return {
    version: Number(version),
    expiresAt: Number(expiresAt),
    fields,
    ...(principal !== undefined && { principal }),
  };
}

function script(source: string): Script {
  return { sha: createHash("sha1").update(source).digest("hex"), source };
}

// unpack() takes a few thousand values at most, so long lists are passed in pieces.
const PIECES = `
local function pieces(command, from, to)
  for i = from, to, 2000 do
    redis.call(command, KEYS[1], unpack(ARGV, i, math.min(i + 1999, to)))
  end
end`;

/**
 * ARGV: now, expiresAt, milliseconds to keep the hash, principal or "", then names and texts. Returns 1, or 0 where a
 * live record has the id.
 */
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
 * ARGV: now, ifVersion or "", expiresAt or "", milliseconds to keep the hash, principal ("=" and the name to set it,
 * "-" to clear it, "" to keep it), what to add to the version, the step of `stepOf` or "", the number of the following
 * arguments that are names and texts to set; the rest are names to delete. Returns 1 for committed, 0 for gone, 2 for a
 * conflict. Where the principal's set must live longer, it returns the principal and the expiry instead of 1.
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
 * A touch prolongs its principal's set only where it moves the expiry past a multiple of this step: four to eight times
 * in an idle timeout, not at every touch. A set lives for an hour and twice the time that the session has left. That
 * covers the next two multiples, because a process may die between the commit and the set's part. Steps are powers of
 * two: then a multiple of a longer step is one of every shorter step, and sessions may have different timeouts.
 *
 * @param left Milliseconds until the new expiry.
 */
export const stepOf = (left: number): number => 2 ** Math.floor(Math.log2(Math.max(left / 4, 1)));

/** ARGV: now. Returns 1, or 0 where there is no live record. */
export const DESTROY: Script = script(`
local e = redis.call('HGET', KEYS[1], 'e')
if not e or tonumber(e) <= tonumber(ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])`);

// A principal's set is written before the record, so the record of an id in it may still be on its way. The id's score
// says until when, by the server's clock, which is the only one that all writers of the set share.
const CLOCK = `
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * ARGV: id, milliseconds after which its record is written or never will be, milliseconds that the set must live, a
 * number from 0 to 1. Where the set is long, returns up to 8 of its ids whose records may be gone, from that part of
 * the set. A set without a time to live keeps having none: some of its ids may need it for longer.
 */
export const ADD_TO_SET: Script = script(`${CLOCK}
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

/** ARGV: ids without a record. Removes those whose record can no longer be on its way. */
export const REMOVE_FROM_SET: Script = script(`${CLOCK}
for _, id in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], id)
  if score and tonumber(score) < clock then redis.call('ZREM', KEYS[1], id) end
end
return 1`);

/**
 * ARGV: "record", "set" or "layout", by the key's name. Removes the key if its content is the driver's, whole or
 * damaged: another application may use such a name.
 */
export const TEARDOWN: Script = script(`
local own
if ARGV[1] == 'record' then
  local r = redis.pcall('HMGET', KEYS[1], 'v', 'e')
  own = not r.err and (r[1] or r[2])
elseif ARGV[1] == 'set' then
  local r = redis.pcall('ZRANGE', KEYS[1], 0, 0)
  own = not r.err and r[1] and #r[1] == 32 and string.find(r[1], '^[0-9a-f]+$')
else
  own = redis.pcall('GET', KEYS[1]) == '1'
end
if own then return redis.call('UNLINK', KEYS[1]) end
return 0`);
