import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type ServiceName, service } from "@sessions/test-services";
import { describe, expect, test } from "vitest";
import { type Program, startProgram } from "./program.ts";
import { Visitor } from "./visitor.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

// In full: Node looks for it from the folder where the tests were started.
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** The program as it is, with the source of every package: no test sees a stale dist. */
function start(url: string): Program {
  return startProgram(["--conditions=@sessions/source", `--import=${tsx}`, main], { SESSIONS_URL: url });
}

interface Site {
  readonly program: Program;
  visitor(): Visitor;
}

/** As many processes as were asked for, on one backend. */
async function startSites(url: string, count: number): Promise<Site[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const program = start(url);
      const address = await program.printed(/http:\/\/127\.0\.0\.1:\d+/);
      return { program, visitor: () => new Visitor(address) };
    }),
  );
}

const statuses = (answers: readonly Response[]): number[] => [
  ...new Set(answers.map(({ status }) => status)),
];

const draft = (n: number): string => n.toString(16).padStart(12, "0");

describe.each<ServiceName>(["redis", "mysql", "postgres", "mongodb", "dynamodb"])("on %s", (name) => {
  const backend = service(name);
  // Where tables cannot be told apart by a database in the URL: another test says what is so without this one.
  const url = `${backend?.url}${name === "dynamodb" ? "/two-apps" : ""}`;

  test.skipIf(!backend)(
    "it says where sessions are kept, and another process goes on with them",
    async () => {
      const [first] = await startSites(url, 1);
      expect(await first?.program.printed(/Sessions are kept in:.*/)).toContain(name);
      const ada = first?.visitor();
      await ada?.post("/shop/add", { sku: "tea" });
      await ada?.signIn("ada");
      first?.program.child.kill("SIGTERM");

      // The first is told to end, as a deployment does, and the next one begins.
      const [second] = await startSites(url, 1);
      const again = second?.visitor();
      for (const [cookie, value] of ada?.cookies ?? []) again?.cookies.set(cookie, value);
      expect(await again?.session()).toMatchObject({ principal: "ada" });
      expect(await again?.page("/shop")).toMatch(/<output[^>]*>1</);
    },
  );

  test.skipIf(!backend)(
    "two processes under load lose no update, and a logout in one is one in the other",
    async () => {
      const sites = await startSites(url, 2);
      const [a, b] = sites.map((site) => site.visitor());
      if (!a || !b) throw new Error("two processes were to be started");
      await a.post("/shop/add", { sku: "tea" });
      await a.signIn(`ada of ${name}`);
      for (const [cookie, value] of a.cookies) b.cookies.set(cookie, value);

      // One key counted up by both, and keys of their own, all at once.
      const updates = Array.from({ length: 60 }, (_, n) =>
        (n % 2 ? a : b).post("/shop/change", { sku: "tea", to: "more" }),
      );
      const saves = Array.from({ length: 100 }, (_, n) =>
        (n % 2 ? b : a).post(`/forum/drafts/${draft(n)}/autosave`, { title: `Draft ${n}.`, text: "" }),
      );
      expect(statuses(await Promise.all(updates))).toEqual([303]);
      expect(statuses(await Promise.all(saves))).toEqual([204]);
      expect(await a.page("/shop")).toMatch(/<output[^>]*>61</);
      const forum = await b.page("/forum");
      for (let n = 0; n < 100; n++) expect(forum).toContain(`Draft ${n}.`);

      // Signed out in one while the other is written to: nothing brings the session back.
      const tab = b.copy();
      const late = Array.from({ length: 40 }, (_, n) =>
        tab.post(`/forum/drafts/${draft(200 + n)}/autosave`, { title: "Late", text: "" }),
      );
      await a.post("/account/sign-out");
      expect(statuses(await Promise.all(late)).filter((status) => status !== 204 && status !== 409)).toEqual(
        [],
      );
      expect(await b.session()).toBeNull();
      expect((await b.post(`/forum/drafts/${draft(300)}/autosave`, { title: "Late", text: "" })).status).toBe(
        409,
      );
      for (const site of sites) {
        const thief = site.visitor();
        for (const [cookie, value] of b.cookies) thief.cookies.set(cookie, value);
        expect(await thief.session()).toBeNull();
      }
    },
  );

  test.skipIf(!backend)("log out everywhere in one process ends the sessions that others began", async () => {
    const sites = await startSites(url, 2);
    const user = `grace of ${name} ${process.pid}`;
    const visitors = [0, 1, 2, 3].map((n) => sites[n % 2]?.visitor());
    for (const visitor of visitors) await visitor?.signIn(user);
    const [first] = visitors;
    expect(await first?.submit("/account/end-all")).toContain("Signed out");
    for (const visitor of visitors) expect(await visitor?.session()).toBeNull();
  });
});
