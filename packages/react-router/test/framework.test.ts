import { createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, type SessionManager } from "@sessions/core";
import {
  createContext,
  createMemorySessionStorage,
  data,
  redirect,
  type Session,
  type SessionStorage,
} from "react-router";
import { describe, expect, test } from "vitest";
import { createSessionStorage } from "../src/index.ts";
import { type Args, versions } from "./site.ts";

interface Data {
  userId: string;
  items: string[];
  root: number;
  page: number;
}
interface Flash {
  error: string;
}

const open = (sessions: SessionManager = createSessionManager()) => {
  const context = createContext<Session<Data, Flash>>();
  return { context, ...createSessionStorage<Data, Flash>(sessions, { context }) };
};

const get = (cookie = ""): Request => new Request("http://localhost/page", { headers: { cookie } });
const post = (cookie = "", form: Record<string, string> = {}): Request =>
  new Request("http://localhost/page", {
    method: "POST",
    headers: { cookie },
    body: new URLSearchParams(form),
  });

const cookiesOf = (response: Response): string[] => response.headers.getSetCookie();
const cookieOf = (response: Response): string => cookiesOf(response).at(-1)?.split(";", 1)[0] ?? "";
const header = ({ request }: Args): string | null => request.headers.get("Cookie");

describe.each(versions)("React Router %s,", (_, create) => {
  /** A page whose loaders each write a key of their own, as people write them: by getSession and commitSession. */
  function writers({ getSession, commitSession }: SessionStorage<Data, Flash>) {
    const writer = (key: "root" | "page") => async (args: Args) => {
      const session = await getSession(header(args));
      session.set(key, (session.get(key) ?? 0) + 1);
      const setCookie = await commitSession(session);
      return data(session.data, { headers: { "Set-Cookie": setCookie } });
    };
    return { root: { loader: writer("root") }, page: { loader: writer("page"), action: writer("page") } };
  }

  describe("with the middleware,", () => {
    test("the loaders of a visitor's first request share one session, and one cookie goes out", async () => {
      const storage = open();
      const handle = create(writers(storage), [storage.sessionMiddleware]);
      const response = await handle(get());
      expect(cookiesOf(response)).toHaveLength(1);
      expect(response.headers.get("Cache-Control")).toBe("private, no-store");
      expect((await storage.getSession(cookieOf(response))).data).toEqual({ root: 1, page: 1 });
    });

    test("what an action wrote is there for the loaders of the same request", async () => {
      const { sessionMiddleware, context } = open();
      const session = ({ context: provider }: Args): Session<Data, Flash> => provider.get(context);
      const handle = create(
        {
          root: { loader: (args) => ({ user: session(args).get("userId") }) },
          page: {
            loader: (args) => ({ error: session(args).get("error") }),
            action: (args) => {
              session(args).set("userId", "ada");
              session(args).flash("error", "Welcome");
              return null;
            },
          },
        },
        [sessionMiddleware],
      );
      const response = await handle(post());
      expect(JSON.parse(await response.text())).toEqual({
        root: { user: "ada" },
        page: { error: "Welcome" },
      });
      const next = await handle(get(cookieOf(response)));
      expect(JSON.parse(await next.text())).toEqual({ root: { user: "ada" }, page: {} });
    });

    test("a message is shown once, and nobody has to commit", async () => {
      const { sessionMiddleware, context } = open();
      const handle = create(
        {
          root: {},
          page: {
            loader: (args) => ({ error: args.context.get(context).get("error") }),
            action: (args) => {
              args.context.get(context).flash("error", "Wrong password");
              return redirect("/page");
            },
          },
        },
        [sessionMiddleware],
      );
      const posted = await handle(post());
      expect(posted.status).toBe(302);
      const cookie = cookieOf(posted);
      const shown = await (await handle(get(cookie))).text();
      const gone = await (await handle(get(cookie))).text();
      expect([shown, gone]).toEqual(['{"page":{"error":"Wrong password"}}', '{"page":{}}']);
    });

    test("a request costs one read and at most one write, whatever its loaders do", async () => {
      const { driver, calls } = createBackend();
      const { getSession, sessionMiddleware } = open(createSessionManager({ driver }));
      const loader = (key: "root" | "page") => async (args: Args) => {
        const session = await getSession(header(args));
        session.set(key, (session.get(key) ?? 0) + 1);
        return null;
      };
      const handle = create({ root: { loader: loader("root") }, page: { loader: loader("page") } }, [
        sessionMiddleware,
      ]);
      const cookie = cookieOf(await handle(get()));
      expect(calls.splice(0)).toEqual(["create"]);
      await handle(get(cookie));
      expect(calls).toEqual(["load", "commit"]);
    });

    test("an action and the loaders of another request that overlap lose nothing of each other", async () => {
      const storage = open();
      const { getSession, commitSession } = storage;
      let meet = (): void => {};
      const met = new Promise<void>((resolve) => {
        meet = resolve;
      });
      let there = 0;
      /** Reads, waits for the others to have read too, and writes. */
      const slowly = (key: keyof Data & string, value: never) => async (args: Args) => {
        const session = await getSession(header(args));
        session.get("items");
        if (++there === 4) meet();
        await met;
        session.set(key, value);
        return null;
      };
      const handle = create(
        {
          root: { loader: slowly("root", 1 as never) },
          page: { loader: slowly("page", 1 as never), action: slowly("userId", "ada" as never) },
        },
        [storage.sessionMiddleware],
      );
      const first = await getSession();
      first.set("items", ["tea"]);
      const cookie = (await commitSession(first)).split(";", 1)[0];
      there = 1; // the loaders of the POST run after its action
      await Promise.all([handle(post(cookie)), handle(get(cookie))]);
      expect((await getSession(cookie)).data).toEqual({ items: ["tea"], root: 1, page: 1, userId: "ada" });
    });

    test("destroySession() in an action ends the session: one cookie that clears it goes out, and a copy is dead", async () => {
      const { getSession, destroySession, commitSession, sessionMiddleware } = open();
      const handle = create(
        {
          root: { loader: async (args) => ({ user: (await getSession(header(args))).get("userId") }) },
          page: {
            action: async (args) =>
              redirect("/page", {
                headers: { "Set-Cookie": await destroySession(await getSession(header(args))) },
              }),
          },
        },
        [sessionMiddleware],
      );
      const session = await getSession();
      session.set("userId", "ada");
      const cookie = (await commitSession(session)).split(";", 1)[0];
      expect(await (await handle(get(cookie))).text()).toContain("ada");
      const out = await handle(post(cookie));
      expect(cookiesOf(out)).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)]);
      expect(await (await handle(get(cookie))).text()).not.toContain("ada");
    });

    test("a login in an action begins a new session: the old cookie is dead, and destroyAll() reaches the new one", async () => {
      const sessions = createSessionManager();
      const { getSession, commitSession, sessionMiddleware } = createSessionStorage<Data>(sessions, {
        principal: ({ userId }) => userId,
      });
      const action = async (args: Args): Promise<Response> => {
        (await getSession(header(args))).set("userId", "ada");
        return redirect("/page");
      };
      const handle = create({ root: {}, page: { action } }, [sessionMiddleware]);
      const guest = await getSession();
      guest.set("items", ["tea"]);
      const planted = (await commitSession(guest)).split(";", 1)[0];
      const cookie = cookieOf(await handle(post(planted)));
      expect((await getSession(planted)).data).toEqual({});
      expect((await getSession(cookie)).data).toEqual({ items: ["tea"], userId: "ada" });
      expect(await sessions.destroyAll({ principal: "ada" })).toBe(1);
      expect((await getSession(cookie)).data).toEqual({});
    });

    test("a page whose handlers do not look at the session costs no call, and does not vary by the cookie", async () => {
      const { driver, calls } = createBackend();
      const { sessionMiddleware } = createSessionStorage<Data>(createSessionManager({ driver }), {
        principal: ({ userId }) => userId,
      });
      const handle = create({ root: { loader: () => 1 }, page: { loader: () => 2 } }, [sessionMiddleware]);
      const response = await handle(get());
      expect([calls, response.headers.get("Vary"), cookiesOf(response)]).toEqual([[], null, []]);
    });

    test("the cookies of the application stay, and a commit in a loader leaves no empty or second cookie", async () => {
      const { getSession, commitSession, sessionMiddleware } = open();
      const action = async (args: Args): Promise<Response> => {
        const session = await getSession(header(args));
        session.set("userId", "ada");
        const headers = new Headers({ "Set-Cookie": await commitSession(session) });
        headers.append("Set-Cookie", "theme=dark; Path=/");
        return redirect("/page", { headers });
      };
      const handle = create({ root: {}, page: { action } }, [sessionMiddleware]);
      const first = await handle(post());
      expect(cookiesOf(first)).toEqual(["theme=dark; Path=/", expect.stringMatching(/^sid=\w/)]);
      const again = await handle(post(cookieOf(first)));
      expect(cookiesOf(again)).toEqual(["theme=dark; Path=/"]);
    });

    test("getSession() with the cookie of another request opens that one's session", async () => {
      const { getSession, commitSession, sessionMiddleware } = open();
      const other = await getSession();
      other.set("userId", "bob");
      const cookie = (await commitSession(other)).split(";", 1)[0];
      const loader = async (): Promise<unknown> => (await getSession(cookie)).data;
      const handle = create({ root: { loader }, page: {} }, [sessionMiddleware]);
      expect(await (await handle(get())).text()).toContain("bob");
    });

    test("down is a 500 without a cookie, and not a visitor who is logged out", async () => {
      const { driver, down } = createBackend();
      const storage = open(createSessionManager({ driver }));
      const handle = create(writers(storage), [storage.sessionMiddleware]);
      const cookie = cookieOf(await handle(get()));
      for (const methods of [["load"], ["create", "commit"]]) {
        for (const method of methods) down.add(method);
        const answers = [await handle(get(cookie)), await handle(post(cookie))];
        if (methods.includes("create")) answers.push(await handle(get()));
        expect(answers.map(({ status }) => status).every((status) => status === 500)).toBe(true);
        expect(answers.flatMap(cookiesOf)).toEqual([]);
        down.clear();
      }
      expect((await storage.getSession(cookie)).get("root")).toBe(1);
    });
  });

  describe("without the middleware,", () => {
    test("overlapping loaders of a session that is there lose nothing either", async () => {
      const storage = open();
      const session = await storage.getSession();
      session.set("items", []);
      const cookie = (await storage.commitSession(session)).split(";", 1)[0] ?? "";
      await create(writers(storage))(get(cookie));
      expect((await storage.getSession(cookie)).data).toEqual({ items: [], root: 1, page: 1 });
    });

    test.each([
      [
        "React Router's",
        () => createMemorySessionStorage<Data, Flash>({ cookie: { name: "sid", secrets: ["s"] } }),
      ],
      ["our", open],
    ])("with %s storage, two loaders of a visitor's first request begin two sessions", async (_, make) => {
      const storage = make();
      const response = await create(writers(storage))(get());
      expect(cookiesOf(response)).toHaveLength(2);
      const { data } = await storage.getSession(cookieOf(response));
      expect(Object.keys(data)).toHaveLength(1);
    });
  });
});
