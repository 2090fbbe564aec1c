import { SessionTooLargeError } from "@sessions/core";
import { type Fault, fault } from "./fault.ts";
import { altered, listed, spoilt } from "./wrap.ts";

/** What a text becomes where it is taken for JSON, and was. */
function throughJson(text: string, keep: (value: unknown) => boolean): string {
  try {
    const value: unknown = JSON.parse(text);
    return keep(value) ? JSON.stringify(value) : text;
  } catch {
    return text;
  }
}
const isObject = (value: unknown) => typeof value === "object" && value !== null;

/** Reads bytes in chunks, each by itself, so that a character which two chunks share is lost. */
function inChunks(text: string, size: number): string {
  const bytes = Buffer.from(text);
  let whole = "";
  for (let i = 0; i < bytes.length; i += size) whole += bytes.subarray(i, i + size).toString();
  return whole;
}

/** Faults in what becomes of texts, and of many fields, on their way. */
export const textFaults: Fault[] = [
  spoilt("a text that is a JSON object or array is written anew", (text) => throughJson(text, isObject)),
  spoilt("a text that spells a whole number comes back as that number", (text) =>
    text.length < 32 && /^[+-]?\d+$/.test(text) ? String(Number(text)) : text,
  ),
  spoilt("a text that spells a number with an exponent comes back as that number", (text) =>
    text.length < 32 && /^-?\d+(\.\d+)?e[+-]?\d+$/i.test(text) ? String(Number(text)) : text,
  ),
  spoilt("a text in JSON's quotes loses them", (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === "string" ? value : text;
    } catch {
      return text;
    }
  }),
  spoilt("a text that spells a date comes back as that date", (text) =>
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? new Date(text).toISOString() : text,
  ),
  spoilt("the text null is no text, in commit", (text) => (text === "null" ? null : text), "commit"),
  spoilt("the text undefined is no text", (text) => (text === "undefined" ? null : text)),
  spoilt("the texts true and false are one", (text) => (text === "false" ? "true" : text)),
  spoilt("line ends become one kind", (text) => text.replaceAll("\r\n", "\n")),
  spoilt("a text ends at its last line end", (text) => text.replace(/\n$/, "")),
  spoilt("a line end is what separates two texts", (text) => text.split("\n")[0] ?? ""),
  spoilt("a mark of byte order is lost", (text) => text.replace(/^\ufeff/, "")),
  spoilt("U+FFFD is taken for damage, and the text is lost", (text) =>
    text.includes("\ufffd") ? null : text,
  ),
  spoilt("characters that name no character are lost", (text) => text.replace(/[\ufdd0-\ufdef\ufffe]/g, "")),
  spoilt("control characters are lost, but for tab and line ends", (text) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is lost.
    text.replace(/[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, ""),
  ),
  spoilt("control characters beyond ASCII are lost", (text) => text.replace(/[\u0080-\u009f]/g, "")),
  spoilt("U+2029 becomes a line end", (text) => text.replaceAll("\u2029", "\n")),
  spoilt("private characters are lost", (text) => text.replace(/\p{Co}/gu, "")),
  spoilt("joiners of no width are lost", (text) => text.replace(/[\u200b-\u200d\u2060]/g, "")),
  spoilt("a backslash escapes what follows it", (text) => text.replace(/\\(.)/gs, "$1")),
  spoilt("a quote is doubled", (text) => text.replaceAll("'", "''")),
  spoilt("the escape of NUL is removed", (text) => text.replaceAll("\\u0000", "")),
  spoilt("the escape of a character is undone", (text) =>
    text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  ),
  spoilt("a text is put in by replace, where dollars mean something", (text) => "?".replace("?", text)),
  spoilt("question marks in a text are placeholders", (text) => text.replaceAll("?", "NULL")),
  spoilt("a doubled percent sign is one", (text) => text.replaceAll("%%", "%")),
  spoilt("a plus sign is a space", (text) => text.replaceAll("+", " ")),
  spoilt("a percent sign begins an escape", (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }),
  spoilt("a text that cannot be unescaped is lost", (text) => {
    try {
      decodeURIComponent(text);
      return text;
    } catch {
      return null;
    }
  }),
  spoilt("entities are undone", (text) => text.replaceAll("&amp;", "&").replaceAll("&lt;", "<")),
  spoilt("angle brackets are escaped", (text) => text.replaceAll("<", "&lt;")),
  spoilt("texts are kept in latin1", (text) => Buffer.from(text, "latin1").toString("latin1")),
  spoilt("texts over 64 KiB are packed in latin1", (text) =>
    text.length > 65_536 ? Buffer.from(text, "latin1").toString("latin1") : text,
  ),
  spoilt("texts are read in chunks of 64 KiB", (text) => inChunks(text, 65_536)),
  spoilt("texts are cut by characters where bytes were counted", (text) =>
    text.slice(0, Math.max(0, (1 << 20) - (Buffer.byteLength(text) - text.length))),
  ),
  spoilt("texts are cut after 4,000 characters, in commit", (text) => text.slice(0, 4000), "commit"),
  fault("R9", "a text is refused of which each character counts as three bytes", (_, sound) => ({
    async commit(id, change, now) {
      if ([...change.fields.values()].some((text) => (text?.length ?? 0) > 350_000))
        throw new SessionTooLargeError("too large");
      return sound.commit(id, change, now);
    },
  })),
  fault("R9", "create refuses a text over 700,000 characters", (_, sound) => ({
    async create(id, record, now) {
      if ([...record.fields.values()].some((text) => text.length > 700_000))
        throw new SessionTooLargeError("too large");
      return sound.create(id, record, now);
    },
  })),
  fault("R9", "a text too large is refused with the client's own error", (_, sound) => ({
    async commit(id, change, now) {
      if ([...change.fields.values()].some((text) => (text?.length ?? 0) > 16 << 20))
        throw new RangeError("packet too large");
      return sound.commit(id, change, now);
    },
  })),
  fault("R9", "create cuts a text too large in silence", (_, sound) => ({
    create: (id, record, now) =>
      sound.create(
        id,
        {
          ...record,
          fields: new Map([...record.fields].map(([name, text]) => [name, text.slice(0, 16 << 20)])),
        },
        now,
      ),
  })),
  fault("R9", "create of more than 1,000 fields keeps the first 1,000", (_, sound) => ({
    create: (id, record, now) =>
      sound.create(id, { ...record, fields: new Map([...record.fields].slice(0, 1000)) }, now),
  })),
  fault("R9", "load answers the first 5,000 fields", (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      return record && { ...record, fields: new Map([...record.fields].slice(0, 5000)) };
    },
  })),
  altered("R9", "a commit deletes at most 1,000 fields", (change) => {
    const deleted = [...change.fields].filter(([, text]) => text === null).slice(0, 1000);
    return {
      ...change,
      fields: new Map([...[...change.fields].filter(([, text]) => text !== null), ...deleted]),
    };
  }),
  altered("R3", "a commit of a record's 2,001st field is lost", (change, row) => ({
    ...change,
    fields: new Map(
      [...change.fields].filter(
        ([name, text]) => text === null || !row || row.fields.has(name) || row.fields.size < 2000,
      ),
    ),
  })),
  fault("R9", "a record with a principal that is emptied is none", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = change.ifVersion === undefined ? rows.get(id) : undefined;
      if (
        outcome === "committed" &&
        change.fields.size > 0 &&
        row?.fields.size === 0 &&
        row.principal !== undefined
      )
        rows.delete(id);
      return outcome;
    },
  })),
  listed("R13", "a listing trims texts", (record) => ({
    ...record,
    fields: new Map([...record.fields].map(([name, text]) => [name, text.trim()])),
  })),
  listed("R13", "a listing answers the first 100 fields", (record) => ({
    ...record,
    fields: new Map([...record.fields].slice(0, 100)),
  })),
  listed("R13", "a listing trims principals", ({ principal, ...record }) => ({
    ...record,
    ...(principal !== undefined && { principal: principal.trim() }),
  })),
  spoilt("the text \\N is no text", (text) => (text === "\\N" ? null : text)),
  spoilt("the text NULL is no text", (text) => (text === "NULL" ? null : text)),
  spoilt("the text Infinity is no number, and so no text", (text) => (text === "Infinity" ? "null" : text)),
  spoilt("the length of a text of 256 bytes is one byte", (text) =>
    Buffer.byteLength(text) === 256 ? "" : text,
  ),
  spoilt("a text that looks like base64 is decoded", (text) => {
    const bytes = Buffer.from(text, "base64");
    return text.endsWith("=") && bytes.toString("base64") === text ? bytes.toString() : text;
  }),
  fault("R9", "a text is refused whose escaped form is larger than 2 MiB", (_, sound) => ({
    async commit(id, change, now) {
      if ([...change.fields.values()].some((text) => JSON.stringify(text).length > 2 << 20))
        throw new SessionTooLargeError("too large");
      return sound.commit(id, change, now);
    },
  })),
];
