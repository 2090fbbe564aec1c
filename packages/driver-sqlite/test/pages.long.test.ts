import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { build } from "rolldown";
import { expect, onTestFinished, test } from "vitest";

/** The application around the page: logs in, finds the session by its token, and logs out. */
const WORKER = `
import { sessions } from "./sessions.js";
export default {
  async fetch() {
    await sessions.setup();
    const session = sessions.create();
    session.login("ann");
    const { token } = await session.commit();
    const found = await sessions.load(token);
    const principal = found?.principal;
    await found?.logout();
    return Response.json({ principal, ended: (await sessions.load(token)) === undefined });
  },
};
`;

test("the page on Drizzle and D1 works in a Worker", async () => {
  const page = readFileSync(new URL("../../../docs/clients/drizzle-and-d1.md", import.meta.url), "utf8");
  const program = /^```js sessions\.js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
  // Inside the package, in a folder that git ignores, so that the program finds the packages.
  const dist = fileURLToPath(new URL("../dist", import.meta.url));
  mkdirSync(dist, { recursive: true });
  const folder = mkdtempSync(join(dist, "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "sessions.js"), program);
  writeFileSync(join(folder, "worker.js"), WORKER);
  const { output } = await build({
    input: join(folder, "worker.js"),
    platform: "node",
    resolve: { conditionNames: ["@sessions/source", "import"] },
    external: [/^node:/, "better-sqlite3", "cloudflare:workers"],
    output: { codeSplitting: false },
    write: false,
  });
  const worker = new Miniflare({
    modules: true,
    script: output[0].code,
    compatibilityDate: "2025-09-01",
    compatibilityFlags: ["nodejs_compat"],
    d1Databases: { DB: "sessions" },
  });
  onTestFinished(() => worker.dispose());
  const response = await worker.dispatchFetch("http://application/");
  expect(await response.json()).toEqual({ principal: "ann", ended: true });
});
