/** A process of its own that writes sessions to a file: `writer.ts url task name [id...]`. It says what was acknowledged. */
import process from "node:process";
import { begin, newId } from "@sessions/driver-tests/records";
import { fromUrl } from "../../src/index.ts";

const [url = "", task = "", name = "", ...ids] = process.argv.slice(2);
const driver = await fromUrl(url, { timeout: "30s" });

/** Goes on when it has been said: the next moment may be the last. */
const say = (...words: (string | number)[]): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(`${words.join(" ")}\n`, () => resolve());
  });

const tasks: Record<string, () => Promise<void>> = {
  /** Makes the table, and a session in it. */
  async setup() {
    await driver.setup();
    await say("found", (await driver.check()).length);
    await say("begun", await begin(driver));
  },

  /** A hundred and fifty fields into each record, one commit each. */
  async fields() {
    for (const id of ids)
      for (let i = 0; i < 150; i++)
        await say(await driver.commit(id, { fields: new Map([[`${name}/${i}`, name]]) }, Date.now()));
  },

  /** One try for each record. */
  async compare() {
    for (const id of ids) {
      const change = { fields: new Map([["a/winner", name]]), ifVersion: 1 };
      await say(id, await driver.commit(id, change, Date.now()));
    }
  },

  /** Until it is killed: each commit is two fields and a principal, and between them records come and go. */
  async forever() {
    const id = await begin(driver);
    await say("begun", id);
    for (let i = 1; ; i++) {
      const fields = new Map([`a/x`, `a/y`].map((field) => [field, `${i} ${"-".repeat(i % 5_000)}`]));
      await driver.commit(id, { fields, principal: `user ${i}` }, Date.now());
      await say("committed", i);
      if (i % 5 !== 0) continue;
      const other = newId();
      await driver.create(other, { expiresAt: Date.now() + 3_600_000, fields }, Date.now());
      await say("created", other);
      if (i % 10 !== 0) continue;
      await driver.destroy(other, Date.now());
      await say("destroyed", other);
    }
  },
};

// The file is open when it begins, but for who makes it.
if (task !== "setup") await driver.load(newId());
await say("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.pause();
await tasks[task]?.();
await driver.close();
