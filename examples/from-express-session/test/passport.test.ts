import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { expect, onTestFinished, test } from "vitest";
import { blocksOf, startSource, visitor } from "./support.ts";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** Another site that logs users in: OAuth 2 with PKCE (RFC 7636). Its user is Grace. */
async function startProvider(): Promise<string> {
  const challenges = new Map<string, string>();
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.get("/authorize", ({ query }, res) => {
    const code = randomUUID();
    challenges.set(code, String(query["code_challenge"] ?? ""));
    const back = new URL(String(query["redirect_uri"]));
    back.searchParams.set("code", code);
    back.searchParams.set("state", String(query["state"]));
    res.redirect(back.href);
  });
  app.post("/token", ({ body }, res) => {
    const challenge = createHash("sha256").update(String(body["code_verifier"])).digest("base64url");
    if (challenges.get(body["code"]) !== (body["code_verifier"] ? challenge : ""))
      res.status(400).json({ error: "invalid_grant" });
    else res.json({ access_token: "grace", token_type: "bearer" });
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function begin() {
  const provider = await startProvider();
  const { url } = await startSource("passport.ts", { OAUTH_URL: provider });
  const open = () => {
    const ask = visitor(url);
    const user = async (): Promise<unknown> => Reflect.get(Object(await (await ask("/")).json()), "user");
    /** Goes to the provider, and returns the path to which that sends the visitor back. */
    async function toProvider(path = "/oauth"): Promise<string> {
      const there = (await ask(path)).headers.get("location") ?? "";
      const back = new URL((await fetch(there, { redirect: "manual" })).headers.get("location") ?? "");
      return back.pathname + back.search;
    }
    return { ask, user, toProvider };
  };
  return { open };
}

test("every block of the page is part of the program", () => {
  const source = read("../src/passport.ts");
  const blocks = blocksOf(read("../../../docs/passport.md"));
  expect(blocks.length).toBe(6);
  for (const block of blocks) expect(source).toContain(block);
});

test("a password logs a user in, and a logout ends that", async () => {
  const { ask, user } = (await begin()).open();
  await ask("/login", { username: "ada", password: "coffee" });
  expect(await user()).toBeUndefined();
  await ask("/login", { username: "ada", password: "tea" });
  expect(await user()).toBe("ada");
  await ask("/logout", {});
  expect(await user()).toBeUndefined();
});

test("handlers that call req.login and req.logout can stay as they are", async () => {
  const { open } = await begin();
  const [{ ask, user }, other] = [open(), open()];
  expect((await ask("/kept/login", { username: "ada", password: "coffee" })).status).toBe(401);
  expect(await user()).toBeUndefined();
  await ask("/kept/login", { username: "ada", password: "tea" });
  expect(await user()).toBe("ada");
  await ask("/kept/logout", {});
  expect(await (await ask("/")).json()).toEqual({ messages: ["Goodbye"] });
  await other.ask("/kept/signup", {});
  expect(await other.user()).toBe("new");
});

test("a logout everywhere ends the sessions of that user in every browser, and no other", async () => {
  const { open } = await begin();
  const [here, there, other] = [open(), open(), open()];
  for (const { ask } of [here, there]) await ask("/login", { username: "ada", password: "tea" });
  await other.ask("/login", { username: "bob", password: "tea" });
  await here.ask("/logout-everywhere", {});
  expect([await here.user(), await there.user(), await other.user()]).toEqual([undefined, undefined, "bob"]);
});

test("another site logs a user in, once for each attempt, in whichever order two tabs come back", async () => {
  const { open } = await begin();
  const { ask, user, toProvider } = open();
  const [first, second] = [await toProvider(), await toProvider()];
  expect(await (await open().ask(first)).status).toBe(403);
  expect((await ask(second)).status).toBe(302);
  expect(await user()).toBe("grace");
  expect((await ask(second)).status).toBe(403);
  expect((await ask("/oauth/back?code=x&state[]=__proto__")).status).toBe(403);
});

test("a provider without PKCE", async () => {
  const { ask, user, toProvider } = (await begin()).open();
  expect((await ask(await toProvider("/oauth-without-pkce"))).status).toBe(302);
  expect(await user()).toBe("grace");
});
