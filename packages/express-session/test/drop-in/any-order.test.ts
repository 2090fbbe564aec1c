import { memoryDriver } from "@sessions/core/memory";
import fc from "fast-check";
import { expect, test } from "vitest";
import { appOn, serve } from "./support.ts";

/** What one request does with the session, and when: after how many turns of the event loop. */
const request = fc.record({
  act: fc.oneof(
    fc.record({ key: fc.constantFrom("a", "b", "c"), value: fc.integer({ min: 1, max: 99 }) }),
    fc.constantFrom("delete", "nested", "destroy", "regenerate"),
  ),
  before: fc.nat(4),
  after: fc.nat(4),
});

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise(setImmediate);
};

test("whatever requests overlap: each key holds what one of its writers wrote, and a session that has ended stays ended", async () => {
  const { app, sessions } = appOn(memoryDriver());
  let acts: Request[] = [];
  const url = await serve(app, {
    "/begin": (req, res) => {
      Object.assign(req.session, { a: 0, b: 0, c: 0, list: [] });
      res.send(req.sessionID);
    },
    "/:at": async (req, res) => {
      const one = acts[Number(req.params["at"])];
      if (!one) throw new Error("no such request");
      const { act, before, after } = one;
      await turns(before);
      const { session } = req;
      if (typeof act === "object") session[act.key] = act.value;
      else if (act === "delete") delete session["a"];
      else if (act === "nested") (session["list"] as number[] | undefined)?.push(1);
      else
        await new Promise((resolve) =>
          (act === "destroy" ? session.destroy : session.regenerate).call(session, resolve),
        );
      await turns(after);
      res.end();
    },
  });

  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 6 }), async (all) => {
      acts = all;
      const begun = await fetch(`${url}/begin`);
      const sid = await begun.text();
      const cookie = begun.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
      const answers = await Promise.all(all.map((_, at) => fetch(`${url}/${at}`, { headers: { cookie } })));
      expect(answers.map(({ status }) => status)).toEqual(all.map(() => 200));

      const store = (await sessions.load(sid))?.store<Record<string, unknown>>("express-session");
      const ends = all.some(({ act }) => act === "destroy" || act === "regenerate");
      expect(store === undefined).toBe(ends);
      for (const key of ["a", "b", "c"]) {
        const written = all.flatMap(({ act }) =>
          typeof act === "object" && act.key === key ? [act.value] : [],
        );
        const isDeleted = key === "a" && all.some(({ act }) => act === "delete");
        const may = [...(written.length > 0 || isDeleted ? written : [0]), ...(isDeleted ? [undefined] : [])];
        if (store) expect(may).toContain(store.get(key));
      }
      const pushes = all.filter(({ act }) => act === "nested").length;
      if (store) expect((store.get("list") as unknown[]).length > 0).toBe(pushes > 0);
    }),
    { numRuns: 60 },
  );
});
