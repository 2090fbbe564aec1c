import { randomBytes } from "node:crypto";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Backend } from "./calls.ts";
import { hasCode } from "./errors.ts";
import { scanPage } from "./scan.ts";
import { ADD_TO_SET, COMMIT, CREATE, DESTROY, REMOVE_FROM_SET, TEARDOWN } from "./scripts.ts";

/** `setup()` makes only the layout's key. `check()` looks at the server's settings and at the user's permissions. */
export function createProvisioning({
  within,
  send,
  run,
  executor,
  keys,
  load,
}: Backend): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { layout } = keys;

  const FOREIGN = `The key ${layout} is not the driver's: another application, or another version of this package, uses the prefix. Choose another in the option prefix`;

  /** The text under the layout's key: `""` where the key holds no text, `undefined` where it is missing. */
  async function readLayout(): Promise<string | undefined> {
    const text = await within((limit) =>
      executor.send(layout, ["GET", layout], limit).catch((error: unknown) => {
        if (hasCode(error, "WRONGTYPE")) return "";
        throw error;
      }),
    );
    return text === null ? undefined : String(text);
  }

  /** Tries the driver's own writes, on keys of its own: the server checks the permission for each command in them. */
  async function tryToWrite(): Promise<string[]> {
    const id = randomBytes(16).toString("hex");
    const [key, set] = [keys.record(id), keys.set(`check ${id}`)];
    try {
      await run(CREATE, key, ["0", "2", "1000", "check", "check/field", ""]);
      // Sets a field, deletes one, clears the principal, and moves the version and the expiry.
      await run(COMMIT, key, ["0", "1", "2", "1000", "-", "1", "1", "2", "check/x", "", "check/field"]);
      await load(id);
      await run(DESTROY, key, ["0"]);
      await run(ADD_TO_SET, set, [id, "-1000", "1000", "0"]);
      await send(set, ["ZRANGE", set, "0", "-1"]);
      await run(REMOVE_FROM_SET, set, [id]);
      await within((limit) => scanPage(executor, limit, keys.pattern, 1));
      return [];
    } catch (error) {
      const { cause } = error instanceof Error ? error : { cause: undefined };
      // An outage is not a finding.
      if (!(cause instanceof Error) || !hasCode(cause, "NOPERM", "READONLY", "OOM", "MISCONF", "ERR"))
        throw error;
      const { message } = cause;
      return [
        /NOPERM|permission|can't run this command/.test(message)
          ? `The user has no permission to write: let it run the commands that the README lists, on keys that begin with the prefix (${message})`
          : `Writing fails: ${message}`,
      ];
    }
  }

  return {
    async setup() {
      const made = await send(layout, ["SET", layout, "1", "NX"]);
      if (made === null && (await readLayout()) !== "1") throw new SessionSetupError(`redis: ${FOREIGN}.`);
    },

    async check() {
      const found = await tryToWrite();
      const text = await readLayout();
      if (text === undefined)
        found.push(`The key ${layout} is missing: run setup(), and find out what removed it`);
      else if (text !== "1") found.push(FOREIGN);
      for (const master of await within(() => executor.masters())) {
        const info = String(await within((limit) => master.send(["INFO", "memory"], limit)).catch(() => ""));
        const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
        if (policy !== "noeviction" && !/^maxmemory:0\s/m.test(info))
          found.push(
            `maxmemory-policy of the ${master.address} is ${policy}, so that Redis removes live sessions when memory is short: set it to noeviction`,
          );
      }
      return found;
    },

    async teardown() {
      let cursor: string | undefined;
      do {
        const page = await within((limit) => scanPage(executor, limit, keys.pattern, 1000, cursor));
        await Promise.all(
          page.keys.map(async (key) => {
            const kind = keys.kindOf(key);
            if (kind !== undefined) await run(TEARDOWN, key, [kind]);
          }),
        );
        cursor = page.cursor;
      } while (cursor !== undefined);
    },
  };
}
