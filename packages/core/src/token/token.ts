import { Buffer } from "node:buffer";
import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * What the client holds: `<id>.<secret>`, and `.<mac>` where secrets are configured. The id is the lookup key, and no
 * secret. Of the secret's 32 bytes, 16 name the family (one login) and 16 the generation (one periodic rotation).
 * At least 64 bits of entropy: OWASP Session Management Cheat Sheet, "Session ID Entropy".
 */
export interface Token {
  readonly id: string;
  readonly family: Buffer;
  readonly generation: Buffer;
}

const SHAPE = /^([0-9a-f]{32})\.([\w-]{43})(?:\.([\w-]{43}))?$/;
const ID = /^[0-9a-f]{32}$/;

export const isId = (id: unknown): id is string => typeof id === "string" && ID.test(id);

export function newToken(): Token {
  const random = randomBytes(48);
  return {
    id: random.toString("hex", 0, 16),
    family: random.subarray(16, 32),
    generation: random.subarray(32, 48),
  };
}

/** The same session's token with a new generation. */
export const nextGeneration = (token: Token): Token => ({ ...token, generation: randomBytes(16) });

/** What the record keeps of a family or a generation: enough to recognise it, useless to present. */
export const digest = (half: Buffer): string => hash("sha256", half, "base64url");

/** Whether two digests are equal. The time it takes does not tell where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

// The cookie's name is signed too, so that a token of one application is none in another that shares its keys.
const mac = (key: string, name: string, signed: string): string =>
  createHmac("sha256", key).update(`${name}=${signed}`).digest("base64url");

/** The text of a token, signed with the newest key where there are keys. */
export function formatToken(token: Token, name: string, keys: readonly string[]): string {
  const text = `${token.id}.${Buffer.concat([token.family, token.generation]).toString("base64url")}`;
  const [newest] = keys;
  return newest ? `${text}.${mac(newest, name, text)}` : text;
}

/** The token that a text holds, or why it holds none. Costs no call to the backend. */
export function parseToken(
  text: string,
  name: string,
  keys: readonly string[],
): Token | "malformed" | "signature" {
  const [, id, encoded, signature] = SHAPE.exec(text) ?? [];
  if (!id || !encoded) return "malformed";
  const secret = Buffer.from(encoded, "base64url");
  // 43 characters hold two bits more than 32 bytes do: one secret, one spelling.
  if (secret.toString("base64url") !== encoded) return "malformed";
  // A part that is not asked for would be a second spelling.
  if (keys.length === 0 && signature) return "malformed";
  if (keys.length > 0) {
    const signed = `${id}.${encoded}`;
    if (!signature || !keys.some((key) => sameDigest(mac(key, name, signed), signature))) return "signature";
  }
  return { id, family: secret.subarray(0, 16), generation: secret.subarray(16) };
}
