import { Buffer } from "node:buffer";
import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * What the client holds: `<id>.<secret>`, followed by `.<mac>` if the manager has `secrets`. The id finds the record
 * and is not secret. Of the secret's 32 bytes, 16 are the family (one login) and 16 the generation (one periodic
 * rotation). OWASP asks for at least 64 bits of entropy (Session Management Cheat Sheet, "Session ID Entropy").
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

/** The hash that the record keeps of a family or generation. It recognises the secret and cannot be used as one. */
export const digest = (half: Buffer): string => hash("sha256", half, "base64url");

/** Returns whether two digests, which are equally long, are equal, in a time that does not reveal where they differ. */
export function sameDigest(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

// Sign the cookie's name too, so that a token is not valid in another application with the same keys.
const mac = (key: string, name: string, signed: string): string =>
  createHmac("sha256", key).update(`${name}=${signed}`).digest("base64url");

/** The text of a token, signed with the newest key if there are keys. */
export function formatToken(token: Token, name: string, keys: readonly string[]): string {
  const text = `${token.id}.${Buffer.concat([token.family, token.generation]).toString("base64url")}`;
  const [newest] = keys;
  return newest ? `${text}.${mac(newest, name, text)}` : text;
}

/** Reads a token from a text, or returns why the text is not a token. Does not call the backend. */
export function parseToken(
  text: string,
  name: string,
  keys: readonly string[],
): Token | "malformed" | "signature" {
  const [, id, encoded, signature] = SHAPE.exec(text) ?? [];
  if (!id || !encoded) return "malformed";
  const secret = Buffer.from(encoded, "base64url");
  // 43 characters hold two bits more than 32 bytes: allow one spelling for each secret.
  if (secret.toString("base64url") !== encoded) return "malformed";
  const signed = `${id}.${encoded}`;
  if (keys.length === 0) {
    // Without keys, a signature would be a second spelling.
    if (signature) return "malformed";
  } else if (!signature || !keys.some((key) => sameDigest(mac(key, name, signed), signature)))
    return "signature";
  return { id, family: secret.subarray(0, 16), generation: secret.subarray(16) };
}
