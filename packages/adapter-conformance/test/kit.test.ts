import { expect, test } from "vitest";
import { textOf } from "../src/cli/text.ts";
import { type Application, type Rule, runConformance, type Server, type Target } from "../src/index.ts";
import { sound } from "./simple-adapter.ts";
import { simpleTarget } from "./simple-target.ts";

const simple = simpleTarget("simple");

/** The message of a clause that must fail on this target. */
async function failureOf(target: Target, rule: Rule): Promise<string> {
  const { results } = await runConformance(target, { rules: [rule] });
  const [result] = results;
  expect(result?.status).toBe("failed");
  return result?.error instanceof Error ? result.error.message : "";
}

test.each(["before", "after"] as const)(
  "a target that names the ability node and does not call %s() is told so",
  async (place) => {
    const start = (application: Application) => simple.start({ ...application, [place]: () => undefined });
    const rule = place === "before" ? "H3.1" : "H3.6";
    expect(await failureOf({ ...simple, start }, rule)).toContain(`must call application.${place}()`);
  },
);

test("a target whose start() returns no address is told so", async () => {
  // @ts-expect-error: no url, no close
  const start = async (): Promise<Server> => ({ port: 80 });
  expect(await failureOf({ ...simple, start }, "H8.1")).toContain("must return { url, close }");
});

test("the error of a failed clause has what reached the framework's error handling as its cause", async () => {
  const missing = new Error("open is not written yet");
  const faulty = simpleTarget("faulty", { ...sound, open: () => Promise.reject(missing) });
  const report = await runConformance(faulty, { rules: ["H8.1"] });
  const [result] = report.results;
  expect(result).toMatchObject({ status: "failed", error: { name: "AssertionError", cause: missing } });
  expect(textOf(report, faulty, { colour: false, width: 100 })).toContain(
    "\n  In the framework's error handling\n    Error: open is not written yet\n  What to change\n",
  );
});

test("every server is closed, whether its case passes or fails", async () => {
  const running = new Set<Server>();
  const faulty = simpleTarget("faulty", {
    ...sound,
    open: (sessions, req, touch) => sound.open(sessions, req, touch).catch(() => sessions.create()),
  });
  const { passed, failed } = await runConformance(
    {
      ...faulty,
      async start(application) {
        const server = await faulty.start(application);
        running.add(server);
        return {
          url: server.url,
          close() {
            running.delete(server);
            return server.close();
          },
        };
      },
    },
    { rules: ["H10.1", "H10.2", "H6.6"] },
  );
  expect([passed, failed, running.size]).toEqual([2, 1, 0]);
});
