import { Buffer } from "node:buffer";
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/**
 * The note that is left in an old session which was taken over. It lies among what the application kept there, and an
 * application may let its visitors name a key of `req.session`: so the note is signed.
 */

/** The note's key in what is left of an old session. */
export const NOTE = "@sessions/adopted";

/** A note counts for so long. */
export const NOTE_MS = 120_000;

/** What a valid note says. */
interface Note {
  /** The id of the session that took the old one over, if one was stored. */
  readonly successor: string | undefined;
}

/** Writes and reads the notes of one site. */
export interface Notes {
  /** Signs the text of a note for the old session of that id. */
  write(sid: string, successor: string | undefined): string;
  /** Returns what a note says; `undefined` where it was not signed, not for that id, or not within the last two minutes. */
  read(sid: string, note: unknown): Note | undefined;
}

/** Notes that are signed with the newest of express-session's secrets, and read with each of them. */
export function createNotes(newest: string, older: readonly string[]): Notes {
  // Not the secrets themselves: an application may sign cookies with them whose values its visitors choose.
  const keyOf = (secret: string): Buffer => Buffer.from(hkdfSync("sha256", secret, "", NOTE, 32));
  const first = keyOf(newest);
  const keys = [first, ...older.map(keyOf)];
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
      // A note from the future is no better: the clock of the process that wrote it is ahead.
      if (!isSigned || Math.abs(Date.now() - Number(at)) >= NOTE_MS) return undefined;
      return { successor: successor === "-" ? undefined : successor };
    },
  };
}
