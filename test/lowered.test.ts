import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Bundles core as an application's bundler does, for an older language. Nitro's default is ES2019. */
async function lowered(target: string): Promise<typeof import("../packages/core/src/index.ts")> {
  // Beside core, so that the bundle finds what core imports.
  const folder = await mkdtemp(join(root, "packages/core/.lowered-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bundle = await rolldown({
    input: join(root, "packages/core/src/index.ts"),
    platform: "node",
    external: /^(?!\.|\/)/,
    transform: { target },
  });
  const { output } = await bundle.write({ dir: folder, format: "esm" });
  await bundle.close();
  return import(join(folder, output[0].fileName));
}

test.each(["es2019", "es2022"])("core works when a bundler lowers it to %s", async (target) => {
  const { createSessionManager } = await lowered(target);
  const sessions = createSessionManager();
  const session = await sessions.open(undefined);
  session.store<{ items: string[] }>("cart").update("items", (items = []) => [...items, "tea"]);
  session.flash("info", "Saved");
  const { token } = await session.commit();
  const next = await sessions.load(token ?? "");
  expect(next?.flash("info")).toEqual(["Saved"]);
  next?.login("ada");
  const { token: renewed } = (await next?.commit()) ?? {};
  const last = await sessions.load(renewed ?? "");
  expect(last?.principal).toBe("ada");
  expect(last?.store<{ items: string[] }>("cart").get("items")).toEqual(["tea"]);
  expect(() => Reflect.set(Object(last?.store("cart")), "items", [])).toThrow("A store takes no properties");
});
