import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import session from "express-session";
import { expect, onTestFinished, test } from "vitest";
import { FileStore } from "../src/file-store.ts";

test("an expired session is removed when it is asked for, and a live one stays", async () => {
  const folder = await mkdtemp(join(tmpdir(), "file-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = new FileStore(folder);
  const keep = promisify((sid: string, expires: Date, done: (error?: unknown) => void) => {
    const cookie = new session.Cookie();
    cookie.expires = expires;
    store.set(sid, { cookie }, done);
  });
  const get = promisify(store.get.bind(store));

  await keep("live", new Date(Date.now() + 3_600_000));
  const [live] = await readdir(folder);
  await keep("expired", new Date(Date.now() - 1));
  expect(await readdir(folder)).toHaveLength(2);
  expect(await get("expired")).toBeNull();
  expect(await get("live")).toMatchObject({ cookie: { path: "/" } });
  expect(await readdir(folder)).toEqual([live]);
});
