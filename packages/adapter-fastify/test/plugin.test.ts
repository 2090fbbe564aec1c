import { createSessionManager, type Session } from "@sessions/core";
import createFastify, { type FastifyRequest } from "fastify";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { openSession, sessionPlugin } from "../src/index.ts";
import { ask, start, stored, visitor } from "./support.ts";

const fresh = () => {
  const fastify = createFastify();
  onTestFinished(() => fastify.close());
  return fastify;
};

describe("registration", () => {
  test("serves the instance's routes, those of nested plugins, and the 404 page", async () => {
    const app = await start((fastify) => {
      const answer = (request: FastifyRequest): string => String(request.session.store("app").get("n"));
      fastify.get("/own", answer);
      fastify.register(async (inner) => {
        inner.get("/inside", answer);
      });
      fastify.setNotFoundHandler(async (request) => answer(request));
    });
    const cookie = await visitor(app);
    for (const path of ["/own", "/inside", "/nowhere"])
      expect(await (await ask({ ...app, url: app.url + path }, cookie)).text()).toBe("1");
  });

  test("within a plugin stays there: routes outside cost nothing and do not wait", async () => {
    const reads: string[] = [];
    const sessions = createSessionManager();
    const open = sessions.open.bind(sessions);
    const counting = {
      ...sessions,
      open(...args: Parameters<typeof open>) {
        reads.push(String(args[0]));
        return open(...args);
      },
    };
    const fastify = fresh();
    fastify.register(async (inner) => {
      inner.register(sessionPlugin, { sessions: counting });
      inner.get("/inside", (request) => String(request.session.isNew));
    });
    fastify.get("/outside", (request) => String(request.session));
    expect((await fastify.inject("/outside")).body).toBe("undefined");
    expect(reads).toEqual([]);
    expect((await fastify.inject("/inside")).body).toBe("true");
    expect(reads).toHaveLength(1);
  });

  test.each([false, true])("a second time is refused, lazy: %s", async (lazy) => {
    const fastify = fresh();
    fastify.register(sessionPlugin, { sessions: createSessionManager(), lazy });
    fastify.register(sessionPlugin, { sessions: createSessionManager(), lazy });
    await expect(fastify.ready()).rejects.toMatchObject({ code: "FST_ERR_DEC_ALREADY_PRESENT" });
  });

  test("with something that is not a manager is refused", async () => {
    const none = fresh();
    // @ts-expect-error nothing at all
    none.register(sessionPlugin);
    await expect(none.ready()).rejects.toThrow(/createSessionManager\(\)/);
    const other = fresh();
    // @ts-expect-error no manager
    other.register(sessionPlugin, { sessions: {} });
    await expect(other.ready()).rejects.toThrow(/createSessionManager\(\)/);
  });
});

describe("lazy", () => {
  test("reads nothing for a handler that does not ask", async () => {
    const app = await start((fastify) => fastify.get("/", () => "none"), { lazy: true });
    expect(await (await ask(app, await visitor(app))).text()).toBe("none");
    expect(app.backend.calls).toEqual([]);
  });

  test("reads once and commits for a handler that asks; then request.session is there", async () => {
    const app = await start(
      (fastify, sessions) =>
        fastify.get("/", async (request, reply) => {
          const session = await openSession(sessions, request, reply);
          session.store("app").set("n", 2);
          return String(
            session === request.session && session === (await openSession(sessions, request, reply)),
          );
        }),
      { lazy: true },
    );
    const cookie = await visitor(app);
    expect(await (await ask(app, cookie)).text()).toBe("true");
    expect(app.backend.calls).toEqual(["load", "commit"]);
    expect(await stored(app, cookie)).toBe(2);
  });

  test("says what to do where request.session is used too early", async () => {
    const app = await start((fastify) => fastify.get("/", ({ session }) => session.id), { lazy: true });
    const answer = await ask(app);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain("await openSession(sessions, request, reply) first");
  });

  test("refuses another manager than the one that opened the session", async () => {
    const app = await start((fastify) =>
      fastify.get("/", async (request, reply) => {
        await openSession(createSessionManager(), request, reply);
      }),
    );
    const answer = await ask(app);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain("another session manager");
  });
});

// Checked by tsc. Nothing runs.
test("the types fit Fastify", () => {
  const check = (sessions: ReturnType<typeof createSessionManager>): void => {
    const fastify = createFastify({ logger: true });
    fastify.register(sessionPlugin, { sessions, lazy: true });
    fastify.get("/", async (request, reply) => {
      expectTypeOf(request.session).toEqualTypeOf<Session>();
      expectTypeOf(await openSession(sessions, request, reply)).toEqualTypeOf<Session>();
    });
    // @ts-expect-error no such option
    fastify.register(sessionPlugin, { sessions, lasy: true });
  };
  expectTypeOf(check).toBeFunction();
});
