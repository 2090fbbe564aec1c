import { Buffer } from "node:buffer";
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/**
 * The note that replaces the data of an old session after a new session took it over. It is signed, because an
 * application may let its visitors choose a key of `req.session`, and so write a note themselves.
 */

/** The note's key in the old session. */
export const NOTE = "@sessions/adopted";

/** How long a note is valid, in milliseconds. */
export const NOTE_MS = 120_000;

/** The content of a valid note. */
interface Note {
  /** The id of the new session; `undefined` if it was not stored. */
  readonly successor: string | undefined;
}

/** Writes and reads the notes of one site. */
export interface Notes {
  /** Returns the signed text of a note for the old session `sid`. */
  write(sid: string, successor: string | undefined): string;
  /**
   * Returns the content of a note. Returns `undefined` if the signature is missing or for another id, or if the note
   * is older than {@link NOTE_MS}.
   */
  read(sid: string, note: unknown): Note | undefined;
}

/** Signs notes with a key made from the newest of express-session's secrets, and reads them with all of them. */
export function createNotes(newest: string, older: readonly string[]): Notes {
  // Derive keys: with the secrets themselves the application may sign cookies whose values its visitors choose.
  const derive = (secret: string): Buffer => Buffer.from(hkdfSync("sha256", secret, "", NOTE, 32));
  const first = derive(newest);
  const keys = [first, ...older.map(derive)];
  const mac = (key: Buffer, at: string, successor: string, sid: string): Buffer =>
    createHmac("sha256", key).update(`${at} ${successor} ${sid}`).digest();

  return {
    write(sid, successor = "-") {
      const at = `${Date.now()}`;
      return `${at} ${successor} ${mac(first, at, successor, sid).toString("hex")}`;
    },

    read(sid, note) {
      if (typeof note !== "string") return undefined;
      const [, at = "", successor = "", signed = ""] =
        /^(\d{1,16}) ([0-9a-f]{32}|-) ([0-9a-f]{64})$/.exec(note) ?? [];
      const given = Buffer.from(signed, "hex");
      const isSigned = keys.some((key) => {
        const expected = mac(key, at, successor, sid);
        return expected.length === given.length && timingSafeEqual(expected, given);
      });
      // Math.abs refuses notes from the future as well, which a process whose clock is far ahead may write.
      if (!isSigned || Math.abs(Date.now() - Number(at)) >= NOTE_MS) return undefined;
      return { successor: successor === "-" ? undefined : successor };
    },
  };
}
