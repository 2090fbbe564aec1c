import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { checkOption } from "@sessions/core/driver-tools";

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals and opens the texts of records. A text opens only in the record for which it was sealed. */
export interface Sealer {
  seal(id: string, text: string): string;
  /** Returns `undefined` for a text that no secret opens. */
  open(id: string, sealed: string | undefined): string | undefined;
}

/**
 * @param secrets The first seals, all open.
 * @throws SessionConfigError A secret is missing or too short. The message does not show it.
 */
export function createSealer(secrets: readonly string[]): Sealer {
  const isList = Array.isArray(secrets) && secrets.length > 0;
  checkOption(isList, "secondaryStorage: secrets", "a list of keys, the newest first", typeof secrets);
  const keys = secrets.map((secret, index) => {
    const fits = typeof secret === "string" && Buffer.byteLength(secret) >= 32;
    checkOption(fits, `secondaryStorage: secrets[${index}]`, "a string of at least 32 bytes", typeof secret);
    return Buffer.from(hkdfSync("sha256", secret, "", "@sessions/better-auth", 32));
  });
  // A key for each record, so that a random nonce is safe however many records there are.
  const keyOf = (key: Buffer, id: string): Buffer => createHmac("sha256", key).update(id).digest();

  return {
    seal(id, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, keyOf(keys[0] ?? nonce, id), nonce);
      return Buffer.concat([
        nonce,
        cipher.update(text, "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ]).toString("base64url");
    },

    open(id, sealed) {
      if (sealed === undefined) return undefined;
      const bytes = Buffer.from(sealed, "base64url");
      for (const key of keys) {
        try {
          const nonce = bytes.subarray(0, NONCE_BYTES);
          const cipher = createDecipheriv(ALGORITHM, keyOf(key, id), nonce, { authTagLength: TAG_BYTES });
          cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
          return `${cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8")}${cipher.final("utf8")}`;
        } catch {
          // It was sealed with another secret, for another record, or not by us.
        }
      }
      return undefined;
    },
  };
}
