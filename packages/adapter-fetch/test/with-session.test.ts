import { readdir, readFile } from "node:fs/promises";
import { createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, isSessionError, type Session, type SessionManager } from "@sessions/core";
import { describe, expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { withSession } from "../src/index.ts";

/** A manager over memory whose calls are counted. A method that is down fails. */
function createSessions(): { sessions: SessionManager; calls: string[]; down: Set<string> } {
  const { driver, calls, down } = createBackend();
  return { sessions: createSessionManager({ driver }), calls, down };
}

/** A cookie of a session that holds `{ app: { n: 1 } }`. */
async function visitor(sessions: SessionManager): Promise<string> {
  const session = await sessions.open(undefined);
  write(session, 1);
  return (await session.commit()).setCookie?.split(";")[0] ?? "";
}

const ask = (cookie?: string, method = "GET"): Request =>
  new Request("http://localhost/", { method, headers: cookie === undefined ? {} : { cookie } });

const write = (session: Session, n: number): void => {
  session.store("app").set("n", n);
};

const cookieFrom = (response: Response): string => response.headers.getSetCookie()[0]?.split(";")[0] ?? "";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe("the response", () => {
  test("is the handler's own object where there is nothing to send and nothing to wait for", async () => {
    const { sessions } = createSessions();
    const own = new Response("hello");
    expect(await withSession(sessions, ask(), () => own)).toBe(own);
  });

  test("that serves many requests is never changed", async () => {
    const { sessions } = createSessions();
    const shared = new Response(null, { status: 204 });
    const [first, second] = [0, 1].map(() =>
      withSession(sessions, ask(), (session) => {
        write(session, 2);
        return shared;
      }),
    );
    expect((await first)?.headers.getSetCookie()).toHaveLength(1);
    expect((await second)?.headers.getSetCookie()).toHaveLength(1);
    expect([...shared.headers]).toEqual([]);
  });

  test("may have headers that cannot be changed, and keeps its status, its text and its headers", async () => {
    const { sessions } = createSessions();
    const fetched = await fetch("data:text/plain,hello");
    expect(() => fetched.headers.append("X", "y")).toThrow(TypeError);
    const response = await withSession(sessions, ask(), (session) => {
      write(session, 2);
      return fetched;
    });
    expect([response.status, response.statusText]).toEqual([fetched.status, fetched.statusText]);
    expect(response.headers.get("Content-Type")).toBe("text/plain");
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toBe("hello");
  });

  test("to HEAD has its body unread", async () => {
    const { sessions } = createSessions();
    const own = new Response("hello");
    expect(await withSession(sessions, ask(await visitor(sessions), "HEAD"), () => own)).toBe(own);
  });
});

describe("a body", () => {
  test("is produced only as fast as it is read", async () => {
    const { sessions } = createSessions();
    let made = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(bytes(made++));
        },
      },
      { highWaterMark: 0 },
    );
    const response = await withSession(sessions, ask(await visitor(sessions)), () => new Response(body));
    const reader = response.body?.getReader();
    for (let n = 0; n < 5; n++) expect((await reader?.read())?.value).toEqual(bytes(n));
    // Everything that can run without a reader has run after this.
    await new Promise((resolve) => setImmediate(resolve));
    // One piece that waits to be read, and the next one, which was requested when the first was taken.
    expect(made).toBeLessThanOrEqual(7);
    await reader?.cancel();
  });

  test("that is cancelled cancels its source, with the reason", async () => {
    const { sessions } = createSessions();
    let reason: unknown;
    const body = new ReadableStream({
      cancel(given) {
        reason = given;
      },
    });
    const response = await withSession(sessions, ask(await visitor(sessions)), () => new Response(body));
    await response.body?.cancel("the client went away");
    expect(reason).toBe("the client went away");
  });

  test.each([
    ["before its last byte", { "Content-Length": "4" }],
    ["before its end", {}],
  ])(
    "ends with the error where a late commit fails %s, and what produces it is ended",
    async (when, headers) => {
      const { sessions, down } = createSessions();
      let cancelled: unknown;
      const response = await withSession(sessions, ask(await visitor(sessions)), (session) => {
        let pulled = 0;
        const body = new ReadableStream<Uint8Array>(
          {
            pull(controller) {
              if (++pulled === 3) {
                controller.close();
                return;
              }
              write(session, 2 + pulled);
              controller.enqueue(bytes(1, 2));
            },
            cancel(error) {
              cancelled = error;
            },
          },
          { highWaterMark: 0 },
        );
        return new Response(body, { headers });
      });
      down.add("commit");
      const unavailable = (error: unknown): boolean => isSessionError(error, "ERR_SESSION_UNAVAILABLE");
      const reader = response.body?.getReader();
      expect((await reader?.read())?.value).toEqual(bytes(1, 2));
      if (when === "before its end") expect((await reader?.read())?.value).toEqual(bytes(1, 2));
      await expect(reader?.read()).rejects.toSatisfy(unavailable);
      expect(unavailable(cancelled)).toBe("Content-Length" in headers);
    },
  );

  test("is cancelled where the commit before it fails, and withSession rejects", async () => {
    const { sessions, down } = createSessions();
    down.add("create");
    let cancelled: unknown;
    const body = new ReadableStream({
      cancel(error) {
        cancelled = error;
      },
    });
    const response = withSession(sessions, ask(), (session) => {
      write(session, 2);
      return new Response(body);
    });
    await expect(response).rejects.toSatisfy((error) => isSessionError(error, "ERR_SESSION_UNAVAILABLE"));
    expect(isSessionError(cancelled, "ERR_SESSION_UNAVAILABLE")).toBe(true);
  });
});

describe("a handler", () => {
  test("that throws a response: it is committed, and thrown again with the cookie", async () => {
    const { sessions } = createSessions();
    const thrown: unknown = await withSession(sessions, ask(), (session) => {
      write(session, 2);
      session.login("ada");
      throw Response.redirect("http://localhost/next", 303);
    }).catch((error: unknown) => error);
    if (!(thrown instanceof Response)) throw thrown;
    expect([thrown.status, thrown.headers.get("Location")]).toEqual([303, "http://localhost/next"]);
    const session = await sessions.open(cookieFrom(thrown));
    expect([session.principal, session.store("app").get("n")]).toEqual(["ada", 2]);
  });

  test("that throws anything else: nothing is stored, and withSession rejects with the error", async () => {
    const { sessions, calls } = createSessions();
    const fault = new Error("the handler failed");
    const cookie = await visitor(sessions);
    calls.length = 0;
    await expect(
      withSession(sessions, ask(cookie), (session) => {
        write(session, 2);
        throw fault;
      }),
    ).rejects.toBe(fault);
    expect(calls).toEqual(["load"]);
  });

  const readBody = async (): Promise<Response> => {
    const response = new Response("hello");
    await response.text();
    return response;
  };
  const locked = async (): Promise<Response> => {
    const response = new Response("hello");
    response.body?.getReader();
    return response;
  };

  describe.each([
    ["whose body was read", readBody, "has a body that was already read"],
    ["whose body is locked", locked, "has a body that is locked"],
    ["that is an error", async () => Response.error(), "Response.error()"],
  ])("with a response %s", (_, respond, words) => {
    const refused = expect.objectContaining({ name: "TypeError", message: expect.stringContaining(words) });

    test.each([
      ["returns", (response: Response): Response => response],
      [
        "throws",
        (response: Response): never => {
          throw response;
        },
      ],
    ])("that %s it has nothing stored, and its error says why", async (_how, give) => {
      const { sessions, calls } = createSessions();
      const response = withSession(sessions, ask(), async (session) => {
        write(session, 2);
        return give(await respond());
      });
      await expect(response).rejects.toEqual(refused);
      expect(calls).toEqual([]);
    });

    test.each([
      ["a login", (session: Session) => session.login("ada")],
      ["a rotation", (session: Session) => session.rotate()],
    ])("has the old session live on after %s", async (_what, begin) => {
      const { sessions } = createSessions();
      const cookie = await visitor(sessions);
      const response = withSession(sessions, ask(cookie), async (session) => {
        begin(session);
        write(session, 2);
        return respond();
      });
      await expect(response).rejects.toEqual(refused);
      const old = await sessions.open(cookie);
      expect([old.isNew, old.principal, old.store("app").get("n")]).toEqual([false, undefined, 1]);
    });
  });

  test("does not run where the read fails", async () => {
    const { sessions, down } = createSessions();
    const cookie = await visitor(sessions);
    down.add("load");
    let ran = false;
    const response = withSession(sessions, ask(cookie), () => {
      ran = true;
      return new Response();
    });
    await expect(response).rejects.toSatisfy((error) => isSessionError(error, "ERR_SESSION_UNAVAILABLE"));
    expect(ran).toBe(false);
  });
});

test("something that is not a manager is an error at once", async () => {
  await expect(Reflect.apply(withSession, undefined, [{}, ask(), () => new Response()])).rejects.toThrow(
    "createSessionManager()",
  );
});

test("the types take handlers that wait, and handlers that do not", () => {
  const check = (): void => {
    const sessions = createSessionManager();
    expectTypeOf(withSession(sessions, ask(), () => new Response())).toEqualTypeOf<Promise<Response>>();
    void withSession(sessions, ask(), async (session) => {
      expectTypeOf(session).toEqualTypeOf<Session>();
      return new Response();
    });
    // @ts-expect-error a handler that forgets its response
    void withSession(sessions, ask(), () => undefined);
  };
  expectTypeOf(check).toBeFunction();
});

test("no module of Node is imported", async () => {
  const folder = new URL("../src/", import.meta.url);
  const files = await readdir(folder);
  const sources = await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")));
  const imported = sources.flatMap((source) =>
    [...source.matchAll(/^(?! \*).* from "([^"]+)"/gm)].map(([, from]) => from),
  );
  expect(imported).toContain("@sessions/core");
  expect(imported.filter((from) => !/^(@sessions\/core(\/|$)|\.\/)/.test(from ?? ""))).toEqual([]);
});

describe("without Secure, and with nothing in the environment", () => {
  const answer = (url: string, headers: Record<string, string> = {}) => {
    vi.stubEnv("NODE_ENV", undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const made = createSessions();
    const response = withSession(made.sessions, new Request(url, { headers }), (session) => {
      write(session, 2);
      return new Response("done");
    });
    return { ...made, response };
  };

  test("a request with an https URL gets an error, no new cookie, and nothing is stored", async () => {
    for (const host of ["shop.example", "localhost:3000"]) {
      const { response, calls } = answer(`https://${host}/`);
      await expect(response).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(calls).toEqual([]);
    }
  });

  test("a request over http gets its cookie, whatever the headers of proxies say", async () => {
    for (const headers of [{}, { "X-Forwarded-Proto": "https" }]) {
      const { response } = answer("http://shop.example/", headers);
      expect((await response).headers.getSetCookie()).toHaveLength(1);
    }
  });
});
