import type { StoredRecord } from "@sessions/core";

const isText = (value: unknown): value is string => typeof value === "string";

/** A record from HGETALL's answer: pairs in turn from RESP2, a Map from RESP3. `undefined` where nothing is there. */
export function parseRecord(answer: unknown): StoredRecord | undefined {
  const fields = new Map<string, string>();
  if (answer instanceof Map)
    for (const [name, text] of answer) if (isText(name) && isText(text)) fields.set(name, text);
  if (Array.isArray(answer))
    for (let i = 0; i < answer.length; i += 2) fields.set(String(answer[i]), String(answer[i + 1]));
  const [version, expiresAt, principal] = [fields.get("v"), fields.get("e"), fields.get("p")];
  // A hash without them is not a record of ours.
  if (version === undefined || expiresAt === undefined) return undefined;
  for (const own of ["v", "e", "p"]) fields.delete(own);
  return {
    version: Number(version),
    expiresAt: Number(expiresAt),
    fields,
    ...(principal !== undefined && { principal }),
  };
}
