import net from "node:net";
import tls from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import {
  certificate,
  inBrowser,
  listenTo,
  logIn,
  OURS,
  press,
  type Shop,
  shop,
  shown,
  visit,
  visitor,
} from "./support.ts";

/** Starts a proxy that ends TLS before a plain http server. Returns its port. */
async function tlsProxy(port: number): Promise<number> {
  const sockets = new Set<net.Socket>();
  const proxy = tls.createServer(certificate(), (socket) => {
    const inner = net.connect(port, "127.0.0.1");
    for (const each of [socket, inner]) {
      sockets.add(each);
      each.on("error", () => undefined);
    }
    socket.pipe(inner).pipe(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return listenTo(proxy);
}

const lastCookie = ({ requests }: Shop): string | undefined => requests.at(-1)?.cookie;

inBrowser("the cookie by default", () => {
  test.each([
    ["over http, in development", { tls: false }, { name: "sid", secure: false }],
    ["over https, in production", { tls: true }, { name: "__Host-sid", secure: true }],
  ])("%s", async (_, options, differs) => {
    const site = await shop(options);
    const page = await visitor();
    await logIn(page, site);
    expect(await shown(page)).toBe("ada, 1");
    const context = page.context();
    expect(await context.cookies()).toEqual([
      {
        ...differs,
        value: expect.stringMatching(/^[0-9a-f]{32}\.[\w-]{43}$/),
        domain: OURS, // without a dot: this host alone
        path: "/",
        httpOnly: true,
        sameSite: "Lax",
        expires: expect.any(Number),
      },
    ]);
    await page.evaluate("document.cookie = 'theirs=1'");
    expect(await page.evaluate("document.cookie")).toBe("theirs=1");
  });

  test("in production, behind a proxy that ends TLS, is as over https", async () => {
    const site = await shop({ tls: false, production: true });
    const page = await visitor();
    const port = await tlsProxy(site.port);
    await logIn(page, { ...site, url: (host, path = "/") => `https://${host}:${port}${path}` });
    expect(await shown(page)).toBe("ada, 1");
    expect(await page.context().cookies()).toMatchObject([{ name: "__Host-sid", secure: true }]);
  });

  test("in production, over http, is not kept: every page shows nobody, and every write begins a session", async () => {
    const site = await shop({ tls: false, production: true });
    const page = await visitor();
    await logIn(page, site);
    expect(site.asked("/login").given()).toEqual([expect.stringContaining("__Host-sid=")]);
    expect(await shown(page)).toBe("nobody, 1");
    await press(page, "/write");
    expect(await shown(page)).toBe("nobody, 1");
    expect([await page.context().cookies(), lastCookie(site)]).toEqual([[], undefined]);
    // The login's, and one for each write. No browser has their cookies, and they expire.
    expect(site.backend.calls).toEqual(["create", "create", "create"]);
  });

  test.each(["localhost", "app.localhost", "127.0.0.1"])(
    "in production, over http, is kept where the host is %s",
    async (host) => {
      const site = await shop({ tls: false, production: true });
      const page = await visitor();
      await logIn(page, site, host);
      expect(await visit(page, site, host)).toBe("ada, 1");
      expect(lastCookie(site)).toMatch(/^__Host-sid=/);
    },
  );

  test("in production, over https, is not carried to a page over http of the same name", async () => {
    const site = await shop();
    const plain = await shop({ tls: false, production: true, driver: site.backend.driver });
    const page = await visitor();
    await logIn(page, site);
    expect(await visit(page, plain)).toBe("nobody, 0");
    expect(lastCookie(plain)).toBeUndefined();
    expect(await visit(page, site)).toBe("ada, 1");
  });
});

inBrowser("where neither NODE_ENV nor cookie.secure says a word", () => {
  test.each(["localhost", "app.localhost", "127.0.0.1"])("http://%s keeps a session", async (host) => {
    const site = await shop({ tls: false, production: "unsaid" });
    const page = await visitor();
    await logIn(page, site, host);
    expect(await visit(page, site, host)).toBe("ada, 1");
    expect(await page.context().cookies()).toMatchObject([{ name: "sid", secure: false }]);
  });

  test("a visitor over https gets the error page and no cookie, and nothing is stored", async () => {
    const site = await shop({ production: "unsaid" });
    const page = await visitor();
    // A page that needs no session works.
    expect(await visit(page, site)).toBe("nobody, 0");
    for (const name of ["/login", "/write"]) {
      await page.goto(site.url(OURS));
      await press(page, name);
      expect(await shown(page)).toBe("error page");
      expect([site.asked(name).given(), await page.context().cookies()]).toEqual([[], []]);
    }
    expect(site.backend.calls).toEqual([]);
  });

  test("a proxy that ends TLS and says nothing of it is seen by what the browser sends", async () => {
    const site = await shop({ tls: false, production: "unsaid" });
    const page = await visitor();
    const port = await tlsProxy(site.port);
    await page.goto(`https://${OURS}:${port}/login`);
    expect([await shown(page), await page.context().cookies()]).toEqual(["error page", []]);
    expect(site.backend.calls).toEqual([]);
  });

  test("a visitor with a cookie from before goes on over https", async () => {
    const old = await shop({ production: false });
    const site = await shop({ production: "unsaid", driver: old.backend.driver });
    const page = await visitor();
    await logIn(page, old);
    expect(await visit(page, site)).toBe("ada, 1");
    await press(page, "/write");
    expect(await shown(page)).toBe("ada, 2");
  });
});

inBrowser("where cookie.secure says it, without NODE_ENV", () => {
  test.each([
    ["sid", { secure: true }],
    ["__Host-sid", { secure: true, name: "__Host-sid" }],
  ])("%s is kept over https, and returned", async (name, cookie) => {
    const site = await shop({ production: "unsaid", cookie });
    const page = await visitor();
    await logIn(page, site);
    expect(await visit(page, site)).toBe("ada, 1");
    expect(await page.context().cookies()).toMatchObject([{ name, secure: true, domain: OURS }]);
    expect(lastCookie(site)).toMatch(new RegExp(`^${name}=`));
  });

  test("secure: false is kept over https too", async () => {
    const site = await shop({ production: "unsaid", cookie: { secure: false } });
    const page = await visitor();
    await logIn(page, site);
    expect(await visit(page, site)).toBe("ada, 1");
    expect(await page.context().cookies()).toMatchObject([{ name: "sid", secure: false }]);
  });
});
