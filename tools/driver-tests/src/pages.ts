import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SessionManager } from "@sessions/core";
import { expect, onTestFinished, vi } from "vitest";

/**
 * Runs the program of a page of docs/clients, and sees that its sessions last.
 *
 * @param name The page's name, without ".md".
 * @param test The URL of the test's module: the program finds the packages that the test finds.
 * @param env The variables that the program reads.
 * @returns What the program exports, `sessions` among it.
 */
export async function runPage(
  name: string,
  test: string,
  env: Record<string, string>,
): Promise<{ readonly [name: string]: unknown; readonly sessions: SessionManager }> {
  const page = readFileSync(new URL(`../../../docs/clients/${name}.md`, import.meta.url), "utf8");
  const program = /^```js sessions\.js\n([\s\S]*?)^```$/m.exec(page)?.[1];
  if (program === undefined) throw new Error(`The page ${name} has no program`);
  // Inside the package, in a folder that git ignores.
  const dist = fileURLToPath(new URL("../dist", test));
  mkdirSync(dist, { recursive: true });
  const folder = mkdtempSync(join(dist, "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "sessions.js"), program);
  for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const made: { sessions: SessionManager } = await import(pathToFileURL(join(folder, "sessions.js")).href);
  // On a busy machine, a first connection may take longer than a call may.
  await vi.waitFor(() => expectLasting(made.sessions), { timeout: 20_000 });
  return made;
}

/** Logs a user in, finds the session by its token, and logs the user out. */
export async function expectLasting(sessions: SessionManager): Promise<void> {
  const session = sessions.create();
  session.login("ann");
  const { token = "" } = await session.commit();
  const found = await sessions.load(token);
  expect(found?.principal).toBe("ann");
  await found?.logout();
  expect(await sessions.load(token)).toBeUndefined();
}
