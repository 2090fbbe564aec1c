import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runInThisContext } from "node:vm";
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager } from "@sessions/core";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { blocksOf, startSource, visitor } from "./support.ts";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const guide = read("../../../docs/moving/from-express-session.md");

describe("the guide's table", () => {
  const rows = [...guide.matchAll(/^\| (`.*) \| (.*) \|$/gm)].map(([, before = "", now = ""]) => ({
    before,
    code: /`([^`]+)`$/.exec(now)?.[1],
  }));
  /** Returns the new code beside the old code. */
  function nowOf(before: string): string {
    const code = rows.find((row) => row.before === `\`${before}\`` || row.before === before)?.code;
    if (code === undefined) throw new Error(`the guide's table has no code beside ${before}`);
    return code;
  }

  /** Runs each `code` in a request of the same visitor, with the variables of the table. Returns their results. */
  async function requests(...codes: string[]): Promise<unknown[]> {
    const sessions = createSessionManager();
    const app = express();
    app.use(sessionMiddleware(sessions), express.text());
    app.get("/", async (req, res) => {
      const names = ["req", "sessions", "userId", "user", "ms", "id"];
      const code = String(req.query["code"]);
      const work: unknown = runInThisContext(`async (${names}) => { ${code} }`);
      const given = [req, sessions, "ada", { name: "Ada" }, 60_000, req.query["id"]];
      res.json({ result: await Reflect.apply(Object(work), undefined, given) });
    });
    const server = createServer(app).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const ask = visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const answers: unknown[] = [];
    for (const code of codes) {
      const query = new URLSearchParams({ code, id: String(answers.at(-1)) });
      answers.push(Reflect.get(Object(await (await ask(`/?${query}`)).json()), "result"));
    }
    return answers;
  }
  const returned = (before: string): string => `return ${nowOf(before)}`;

  test("keeps, reads and deletes a value", async () => {
    const get = returned("req.session.user");
    const codes = [nowOf("req.session.user = user"), get, nowOf("delete req.session.user"), get];
    expect(await requests(...codes)).toEqual([undefined, { name: "Ada" }, undefined, undefined]);
  });

  test("counts", async () => {
    const count = returned("req.session.views = (req.session.views ?? 0) + 1");
    expect(await requests(count, count)).toEqual([1, 2]);
  });

  test("logs in with a new id, and out", async () => {
    const isUser = `${nowOf("if (req.session.userId)")} return true`;
    const id = returned("req.sessionID");
    const login = nowOf("`req.session.regenerate(callback)` at a login");
    const logout = nowOf("`req.session.destroy(callback)`, `res.clearCookie(…)`");
    const guest = nowOf("req.session.user = user");
    const [, before, , after, user, , nobody] = await requests(guest, id, login, id, isUser, logout, isUser);
    expect([user, nobody]).toEqual([true, undefined]);
    expect(after).not.toBe(before);
  });

  test("changes the id elsewhere, and keeps what is there", async () => {
    const id = returned("req.sessionID");
    const rotate = nowOf("`req.session.regenerate(callback)` elsewhere");
    const codes = [nowOf("req.session.user = user"), id, rotate, id, returned("req.session.user")];
    const [, before, , after, user] = await requests(...codes);
    expect(after).not.toBe(before);
    expect(user).toEqual({ name: "Ada" });
  });

  test("stores in the middle of a request, and reads again", async () => {
    const save = nowOf("req.session.save(callback)");
    const reload = nowOf("req.session.reload(callback)");
    const code = `${nowOf("req.session.user = user")}; ${save}; return (${reload}).store("app").get("user")`;
    expect(await requests(code)).toEqual([{ name: "Ada" }]);
  });

  test("sets the expiry, and reads it", async () => {
    const set = `${nowOf("req.session.user = user")}; ${nowOf("req.session.cookie.maxAge = ms")}`;
    const [, expires] = await requests(set, returned("req.session.cookie.expires"));
    const left = new Date(String(expires)).getTime() - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  test("ends a session by its id", async () => {
    const guest = nowOf("req.session.user = user");
    const end = returned("req.sessionStore.destroy(id, callback)");
    const codes = [guest, returned("req.sessionID"), end, returned("req.session.user")];
    expect((await requests(...codes)).slice(2)).toEqual([true, undefined]);
  });

  test.each([
    ["req.session.user = user", true],
    ["req.session.regenerate(callback)", true],
    ["req.session.save(callback)", true],
    ["req.session.reload(callback)", true],
    ["req.session.destroy(callback)", true],
    ["req.session.touch()", true],
    ["req.session.resetMaxAge()", true],
    ["req.session.cookie.maxAge = ms", true],
    ["req.sessionID", false],
  ])("as it was written before, %s names the guide where it throws", async (before, throws) => {
    expect(guide).toContain(before);
    const [message] = await requests(`try { ${before} } catch (error) { return error.message }`);
    if (throws) expect(message).toContain("docs/moving/from-express-session.md");
    else expect(message).toBeUndefined();
  });
});

describe("the guide's packages", () => {
  const sources = ["packages.ts", "after.ts"].map((file) => read(`../src/${file}`));
  const [first, ...blocks] = blocksOf(guide);

  test("every block is part of a program that runs", () => {
    expect(first).toContain("app.use(sessionMiddleware(sessions))");
    for (const block of blocks)
      expect(
        sources.some((source) => source.includes(block)),
        block,
      ).toBe(true);
  });

  test("flash messages, csrf-sync and rate limits work", async () => {
    const { url } = await startSource("packages.ts");
    const ask = visitor(url);
    async function page(): Promise<{ messages: string[]; csrf: string }> {
      const answer: unknown = await (await ask("/")).json();
      return answer as Awaited<ReturnType<typeof page>>;
    }
    const { csrf } = await page();
    expect((await ask("/notes", {})).status).toBe(403);
    for (let n = 0; n < 3; n++) expect((await ask("/notes", { csrf })).status).toBe(303);
    expect((await ask("/notes", { csrf })).status).toBe(429);
    expect((await page()).messages).toEqual(["Saved", "Saved", "Saved"]);
    expect((await page()).messages).toEqual([]);
  });

  test("lusca works, for each visitor with a token of their own", async () => {
    const { url } = await startSource("packages.ts");
    const [ask, other] = [visitor(url), visitor(url)];
    const tokenOf = async (of: typeof ask): Promise<string> =>
      String(Reflect.get(Object(await (await of("/lusca")).json()), "csrf"));
    const _csrf = await tokenOf(ask);
    await tokenOf(other);
    expect((await ask("/lusca", {})).status).toBe(403);
    expect((await other("/lusca", { _csrf })).status).toBe(403);
    expect((await ask("/lusca", { _csrf })).status).toBe(200);
  });
});
