import { randomUUID } from "node:crypto";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProgram } from "@sessions/example-tests";
import { service } from "@sessions/test-services";
import { afterAll, describe, expect, test } from "vitest";
import { browser, programsOf } from "./shops.ts";

const redis = service("redis");

/** Starts two processes of a shop that has moved, on one Redis. */
async function startTwo(redisUrl: string): Promise<[string, string]> {
  const prefix = `adopt-${randomUUID()}`;
  const start = (): ReturnType<typeof startProgram> =>
    startProgram({
      command: process.execPath,
      args: [
        ...["--import", "tsx", "--conditions=@sessions/source"],
        ...[fileURLToPath(new URL("programs/site.ts", import.meta.url)), redisUrl, prefix],
      ],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      ready: /http:\S+/,
    });
  const [one, two] = await Promise.all([start(), start()]);
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  return [one.url, two.url];
}

async function ask(url: string, cookie: string): Promise<{ user: string; cookies: string[] }> {
  const response = await fetch(url, { headers: { cookie } });
  return { user: await response.text(), cookies: response.headers.getSetCookie() };
}

if (redis) {
  const [one, two] = await startTwo(redis.url);

  describe.each(["cookie-session", "iron-session", "koa-session"])("a cookie of %s", (library) => {
    async function oldShop(): Promise<(user: string) => Promise<string>> {
      const url = await (await programsOf(`from-${library}.md`)).before();
      return async (user) => {
        const { ask, jar } = browser();
        await ask(url, `/login?name=${user}`);
        return [...jar].map((pair) => pair.join("=")).join("; ");
      };
    }

    test("is adopted by one of two processes that get it at once, and by none later", async () => {
      const login = await oldShop();
      for (let round = 0; round < 20; round++) {
        const user = `user${round}`;
        const cookie = await login(user);
        const answers = await Promise.all([one, two].map((url) => ask(`${url}/${library}`, cookie)));
        expect(answers.map((answer) => answer.user).sort()).toEqual(["nobody", user]);
        const [adopted] = answers.filter(({ cookies }) => cookies.length > 0);
        expect(adopted?.user).toBe(user);
        const sid = adopted?.cookies.at(-1)?.split(";")[0] ?? "";
        for (const url of [one, two]) {
          expect((await ask(`${url}/${library}`, cookie)).user).toBe("nobody");
          expect((await ask(`${url}/${library}`, sid)).user).toBe(user);
        }
      }
    });

    test("is adopted by the other process if the handler of the first one throws", async () => {
      const cookie = await (await oldShop())("ada");
      expect(await ask(`${one}/${library}/throws`, cookie)).toEqual({ user: "", cookies: [] });
      expect((await ask(`${two}/${library}`, cookie)).user).toBe("ada");
      expect((await ask(`${one}/${library}`, cookie)).user).toBe("nobody");
    });
  });
}
