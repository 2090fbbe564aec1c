import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionManager, type Session } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { cookieOf, spyDriver, testClock } from "./support.ts";

/* Requests of one session whose calls to the backend interleave in every order that fast-check thinks of. */

type Act =
  | "write"
  | "update"
  | "touch"
  | "rotate"
  | "reauthenticate"
  | "login"
  | "logout"
  | "destroy"
  | "destroyAll";

interface Outcome {
  readonly act: Act;
  readonly number: number;
  readonly done: boolean;
  readonly jar: string | undefined;
}

async function race(acts: readonly Act[], scheduler: fc.Scheduler) {
  const clock = testClock();
  const pass = clock.advance;
  let held = false;
  const driver = spyDriver({}, memoryDriver(), (call) =>
    held ? scheduler.schedule(Promise.resolve(), call) : undefined,
  );
  const sessions = createSessionManager({ driver, clock });
  const first = await sessions.open(undefined);
  first.login("alice");
  const jar = cookieOf((await first.commit()).setCookie);
  const opened = await Promise.all(acts.map(() => sessions.open(jar)));
  pass(10 * 60_000);

  async function act(kind: Act, session: Session, number: number): Promise<Outcome> {
    const outcome = (done: boolean, setCookie?: string): Outcome => ({
      act: kind,
      number,
      done,
      jar: cookieOf(setCookie),
    });
    if (kind === "destroy") return outcome(await sessions.destroy(first.id));
    if (kind === "destroyAll") return outcome((await sessions.destroyAll({ principal: "alice" })) > 0);
    if (kind === "write") session.store("data").set(`key ${number}`, number);
    if (kind === "update") session.store<{ n: number }>("data").update("n", (n = 0) => n + 1);
    if (kind === "rotate") session.rotate();
    if (kind === "reauthenticate") session.reauthenticate();
    if (kind === "login") session.login("alice");
    if (kind === "logout") await session.logout();
    const { status, setCookie } = await session.commit({ seal: true });
    return outcome(status === "committed" || kind === "logout", setCookie);
  }
  held = true;
  const racing = acts.map((kind, number) => act(kind, opened[number] as Session, number));
  await scheduler.waitFor(Promise.all(racing));
  held = false;
  const outcomes = await Promise.all(racing);
  const jars = [jar, ...outcomes.map((outcome) => outcome.jar)];
  const after = await Promise.all(jars.map((value) => sessions.open(value, { touch: false })));
  return { outcomes, open: after.filter(({ principal }) => principal === "alice"), sessions };
}

const some = (...acts: Act[]) => fc.array(fc.constantFrom(...acts), { minLength: 1, maxLength: 5 });

test("after a logout no request in flight leaves a way in, whatever it did", async () => {
  await fc.assert(
    fc.asyncProperty(
      some("write", "update", "touch", "rotate", "reauthenticate", "logout"),
      fc.nat(4),
      fc.scheduler(),
      async (others, at, scheduler) => {
        const acts = others.toSpliced(at, 0, "logout");
        const { open, sessions } = await race(acts, scheduler);
        expect(open).toEqual([]);
        expect(await sessions.destroyAll({ principal: "alice" })).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});

test("an administrator's destroyAll leaves no way in, not even by a rotate() in flight", async () => {
  await fc.assert(
    fc.asyncProperty(
      some("write", "update", "touch", "rotate", "reauthenticate"),
      fc.nat(4),
      fc.scheduler(),
      async (others, at, scheduler) => {
        const { open } = await race(others.toSpliced(at, 0, "destroyAll"), scheduler);
        expect(open).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test("what was acknowledged stands in the session that goes on, once and exactly", async () => {
  await fc.assert(
    fc.asyncProperty(
      some("write", "update", "touch", "rotate", "reauthenticate"),
      fc.scheduler(),
      async (acts, scheduler) => {
        const { outcomes, open } = await race(acts, scheduler);
        expect(open).toHaveLength(1);
        const store = open[0]?.store<Record<string, number>>("data");
        const done = outcomes.filter((outcome) => outcome.done);
        for (const { act, number } of done)
          if (act === "write") expect(store?.get(`key ${number}`)).toBe(number);
        expect(store?.get("n") ?? 0).toBe(done.filter(({ act }) => act === "update").length);
        const replaced = done.filter(({ act }) => act === "rotate" || act === "reauthenticate");
        expect(replaced.length).toBeLessThanOrEqual(1);
        const isFresh = replaced[0]?.act === "reauthenticate";
        expect(open[0]?.authenticatedWithin("1m")).toBe(isFresh);
      },
    ),
    { numRuns: 500 },
  );
});

test("a login in flight stands, and leaves one way in for its principal", async () => {
  await fc.assert(
    fc.asyncProperty(
      some("write", "update", "touch", "rotate", "reauthenticate"),
      fc.scheduler(),
      async (others, scheduler) => {
        const { outcomes, open, sessions } = await race(["login", ...others], scheduler);
        expect(outcomes[0]?.done).toBe(true);
        expect(open).toHaveLength(1);
        const listed: string[] = [];
        for await (const { id } of sessions.list({ principal: "alice" })) listed.push(id);
        expect(listed).toEqual([open[0]?.id]);
      },
    ),
    { numRuns: 500 },
  );
});
