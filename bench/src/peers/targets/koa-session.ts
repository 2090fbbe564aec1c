import { Readable } from "node:stream";
import Koa from "koa";
import koaSession from "koa-session";
import { type Connect, connectHttp1 } from "../kit.ts";
import { listen } from "../node-server.ts";
import {
  EVERYWHERE,
  IN_COOKIE,
  IN_STORE,
  type Means,
  type Peer,
  type PeerApplication,
  textStore,
  USER,
} from "../peer.ts";
import type { SeenSession } from "../session.ts";

/** What its README and its types say of `ctx.session`. */
interface KoaSession extends Record<string, unknown> {
  readonly externalKey?: string;
  toJSON(): Record<string, unknown>;
  save(): Promise<void>;
  regenerate(): Promise<void>;
}

/** The places are headings of koa-session's README. */
function meansOf(ctx: Koa.Context): Means {
  const session = (): KoaSession | null => ctx["session"];
  // Not in the README. Its comment in the source: "regenerate this session".
  const rotate = () => session()?.regenerate();
  return {
    id: session()?.externalKey,
    read: () => session()?.toJSON() ?? {},
    // "Example". The middleware saves; what comes later calls "Session#save()".
    set(key, value) {
      const its = session();
      if (its) its[key] = value;
      else ctx["session"] = { [key]: value };
      return ctx.res.writableEnded || ctx.res.destroyed ? session()?.save() : undefined;
    },
    login(user) {
      Object(session())[USER] = user;
      return rotate();
    },
    // "Destroying a session"
    logout() {
      ctx["session"] = null;
    },
    rotate,
    save: () => session()?.save(),
  };
}

async function start(application: PeerApplication, store?: ReturnType<typeof textStore>) {
  const { name, cookie, sessionOf, handle, onError, before, after } = application;
  const app = new Koa();
  app.keys = ["a secret of the bench's own"];
  app.on("error", (error: NodeJS.ErrnoException) => {
    // Koa also reports a stream whose response ended first. It follows from the first error, so it does not count.
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") onError(error);
  });
  const seen = new WeakMap<Koa.Context, SeenSession>();
  app.use((ctx, next) => {
    before(ctx.res, () => seen.get(ctx));
    return next();
  });
  // "Example": all other settings are defaults. "External Session Stores"
  app.use(koaSession({ key: name, ...cookie, ...(store && { store }) }, app));
  app.use((ctx, next) => {
    seen.set(ctx, sessionOf(meansOf(ctx)));
    after(ctx.res, () => seen.get(ctx));
    return next();
  });
  app.use(async (ctx) => {
    const session = seen.get(ctx);
    if (!session) throw new Error("the session is not ready");
    const { status = 200, headers = {}, body, redirect } = await handle(session, ctx.method, ctx.url);
    for (const [name, value] of Object.entries(headers))
      ctx.append(name, typeof value === "string" ? value : [...value]);
    ctx.status = redirect === undefined ? status : 303;
    if (redirect !== undefined) ctx.redirect(redirect);
    else ctx.body = typeof body === "object" ? Readable.from(body) : (body ?? "");
  });
  return {
    ...(await listen(app.callback())),
    ...(store && { destroy: (id: string) => store.destroy(id) }),
  };
}

/** The signature is a cookie of its own. The kit counts the cookies of a session as one, so the client keeps it aside. */
const connect: Connect = (url) => {
  const connection = connectHttp1(url);
  return {
    close: () => connection.close(),
    async ask(request = {}) {
      const { cookie = "", ...headers } = request.headers ?? {};
      const sent = cookie.split("; ").flatMap((one) => [one, ...(signatures.get(one) ?? [])]);
      const answer = await connection.ask({
        ...request,
        headers: cookie ? { ...headers, cookie: sent.join("; ") } : headers,
      });
      const pairs = answer.cookies.map((one) => one.split(";")[0] ?? "");
      const signature = pairs.find((pair) => /^[^=]+\.sig=/.test(pair));
      const signed = pairs.find((pair) => signature?.startsWith(`${pair.split("=")[0]}.sig=`));
      if (signature && signed) signatures.set(signed, [signature]);
      return { ...answer, cookies: answer.cookies.filter((one) => !/^[^=]+\.sig=/.test(one)) };
    },
  };
};
const signatures = new Map<string, readonly [string]>();

const common = { packages: ["koa-session", "koa"], abilities: ["streams", "node"], connect } as const;

export const koaSessionPeers: readonly Peer[] = [
  {
    ...common,
    name: "koa-session + a store",
    apart: [...EVERYWHERE, ...IN_STORE],
    start: (application) => start(application, textStore(application.gate)),
  },
  {
    ...common,
    name: "koa-session",
    apart: [...EVERYWHERE, ...IN_COOKIE],
    start: (application) => start(application),
  },
];
