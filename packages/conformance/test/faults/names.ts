import { yieldToEventLoop } from "../../src/support.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, renamed } from "./wrap.ts";

/** A name in two, as a driver that nests its fields cuts it. */
const stores = (name: string): [string, string] => {
  const [store = "", key = ""] = name.split("/");
  return [store, key];
};

/** Faults in what becomes of names. */
export const nameFaults: Fault[] = [
  renamed("the driver keeps the version under /version, among the fields", (name) =>
    name === "/version" ? null : name,
  ),
  renamed("the driver keeps the principal under /principal, among the fields", (name) =>
    name === "/principal" ? null : name,
  ),
  renamed("a name that ends with a slash is none", (name) => (name.endsWith("/") ? null : name)),
  renamed("a slash at a name's end is lost", (name) => name.replace(/(.)\/$/, "$1")),
  renamed("two slashes are one", (name) => name.replaceAll("//", "/")),
  renamed("a name that every object has is none", (name) => (stores(name)[0] in {} ? null : name)),
  renamed("a key that every object has is none", (name) => (stores(name)[1] in {} ? null : name)),
  renamed("a name that begins with - is none", (name) => (name.startsWith("-") ? null : name)),
  renamed("a key that begins with - is none", (name) => (stores(name)[1].startsWith("-") ? null : name)),
  renamed("a store that spells a number is none", (name) => (/^\d+\//.test(name) ? null : name)),
  renamed("zeros before a key's number are lost", (name) => name.replace(/\/0+(?=\d+$)/, "/")),
  renamed("escapes in names are made upper case", (name) =>
    name.replace(/%[0-9a-f]{2}/g, (code) => code.toUpperCase()),
  ),
  renamed("names are unescaped and escaped again", (name) => {
    try {
      return name
        .split("/")
        .map((part) => encodeURIComponent(decodeURIComponent(part)))
        .join("/");
    } catch {
      return name;
    }
  }),
  renamed("a name that cannot be unescaped is lost", (name) => {
    try {
      decodeURIComponent(name);
      return name;
    } catch {
      return null;
    }
  }),
  renamed("dots in a name are a path, and __ is kept for itself", (name) =>
    name.includes("__") ? null : name,
  ),
  renamed("names are cut after 1,024 characters", (name) => name.slice(0, 1024)),
  altered("R9", "a name over 255 characters cannot be deleted", (change) => ({
    ...change,
    fields: new Map([...change.fields].filter(([name, text]) => text !== null || name.length <= 255)),
  })),
  altered("R9", "a field below another's name takes its place", (change, row) => {
    const fields = new Map(change.fields);
    for (const name of change.fields.keys())
      for (const other of row?.fields.keys() ?? []) if (name.startsWith(`${other}/`)) fields.set(other, null);
    return { ...change, fields };
  }),
  fault("R9", "a field below another's name takes its place, in create", (_, sound) => ({
    async create(id, record, now) {
      const names = [...record.fields.keys()];
      const fields = new Map(
        [...record.fields].filter(([name]) => !names.some((other) => other.startsWith(`${name}/`))),
      );
      await yieldToEventLoop();
      return sound.create(id, { ...record, fields }, now);
    },
  })),
];
