import { createHash, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import { findBrowser, type LaunchOptions, launchBrowser, openProfile } from "@sessions/test-services/browser";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, onTestFinished, vi } from "vitest";
import { openSession, sessionMiddleware } from "../../src/index.ts";
import { type Certificate, makeCertificate } from "../certificate.ts";
import { type Backend, createBackend } from "../support.ts";

/** Our host. For a browser, a site is the name before the top-level domain (here `example`) and all its subdomains. */
export const OURS = "shop.example";
/** The same site as ours. */
export const SUBDOMAIN = "app.shop.example";
/** Another site. */
export const OTHER = "other.example";
/** And another one. */
export const THIRD = "third.example";

/** One throw-away certificate for all names. */
let keys: Certificate;
/** Resolves every name to this machine, and accepts the certificate: pages with a bad one are never cached. */
let args: readonly string[];
let browser: Browser;

async function prepare(): Promise<void> {
  keys = await makeCertificate([OURS, SUBDOMAIN, OTHER, THIRD, "localhost"]);
  const publicKey = new X509Certificate(keys.cert).publicKey.export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(publicKey).digest("base64");
  args = ["--host-resolver-rules=MAP * 127.0.0.1", `--ignore-certificate-errors-spki-list=${hash}`];
}

/** Tests that share one browser. Without a browser they are skipped, and the run says so. */
export function inBrowser(
  title: string,
  define: () => void,
  { without = [] }: Pick<LaunchOptions, "without"> = {},
): void {
  describe.skipIf(findBrowser() === undefined)(title, () => {
    beforeAll(async () => {
      await prepare();
      browser = await launchBrowser({ args, without });
    });
    afterAll(() => browser?.close());
    define();
  });
}

/** A browser without cookies. */
export async function visitor(): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
}

/** A browser with a profile, which can be closed and started again. */
export interface Profile {
  /** Starts the browser; closes it first if it runs. */
  readonly start: () => Promise<Page>;
}

/**
 * Makes a profile in a new folder. Browsers differ in what they do with other sites' cookies, so it is set here.
 * `reopens` is for a browser that starts with the windows that it was closed with.
 */
export async function profile(
  thirdPartyCookies: "allowed" | "blocked",
  { reopens = false }: { readonly reopens?: boolean } = {},
): Promise<Profile> {
  const directory = await mkdtemp(join(tmpdir(), "sessions-browser-"));
  let context: BrowserContext | undefined;
  onTestFinished(async () => {
    await context?.close();
    await rm(directory, { recursive: true, force: true });
  });
  const preferences = {
    profile: { cookie_controls_mode: thirdPartyCookies === "blocked" ? 1 : 0 },
    ...(reopens && { session: { restore_on_startup: 1 } }),
  };
  await mkdir(join(directory, "Default"));
  await writeFile(join(directory, "Default", "Preferences"), JSON.stringify(preferences));
  return {
    async start() {
      await context?.close();
      context = await openProfile(directory, { args });
      return context.newPage();
    },
  };
}

/** A request that reached a server. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** The Cookie header. */
  readonly cookie: string | undefined;
  /** Sec-Fetch-Site. */
  readonly from: string | undefined;
  /** The Set-Cookie headers of the response, once it is sent. */
  readonly given: () => readonly string[];
}

/** A server that serves every host name. */
export interface Site {
  readonly port: number;
  readonly url: (host: string, path?: string) => string;
}

interface ListenOptions {
  /** @default true */
  readonly tls?: boolean;
}

/** Starts a server that the test closes at its end. Returns the port. */
export async function listenTo(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(listener: http.RequestListener, { tls = true }: ListenOptions): Promise<Site> {
  const server = tls ? https.createServer(keys, listener) : http.createServer(listener);
  const port = await listenTo(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, url: (host, path = "/") => `${tls ? "https" : "http"}://${host}:${port}${path}` };
}

/** The certificate, for other servers of a test. */
export const certificate = (): Certificate => keys;

/** Serves pages without a session, or only headers, by path. Each host name is another site. */
export async function pages(
  answers: Record<string, string | http.OutgoingHttpHeaders>,
  options: ListenOptions = {},
): Promise<Site> {
  return serve((req, res) => {
    const answer = answers[req.url ?? ""];
    if (typeof answer === "object") res.writeHead(answer.location === undefined ? 200 : 302, answer).end();
    else res.writeHead(answer === undefined ? 404 : 200, { "content-type": "text/html" }).end(answer);
  }, options);
}

/** NODE_ENV while a manager is made. */
type Production = boolean | "unsaid";

interface ShopOptions extends SessionManagerOptions, ListenOptions {
  /** Whether the manager is made with NODE_ENV=production; "unsaid": without NODE_ENV. @default true with TLS */
  readonly production?: Production;
  /** Headers that the application sends, by path. */
  readonly headers?: (path: string) => http.OutgoingHttpHeaders;
}

/** An application of ours. */
export interface Shop extends Site {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  readonly requests: Seen[];
  /** The only request for a path. */
  readonly asked: (path: string) => Seen;
}

/** Makes a manager with a new backend, with NODE_ENV as given. */
export function makeManager(
  production: Production,
  options: SessionManagerOptions,
): { sessions: SessionManager; backend: Backend } {
  const backend = createBackend();
  vi.stubEnv("NODE_ENV", production === "unsaid" ? undefined : production ? "production" : "test");
  const sessions = createSessionManager({ driver: backend.driver, ...options });
  vi.unstubAllEnvs();
  return { sessions, backend };
}

/** Every path shows the principal and the count of `/write`; `/login` and `/logout` redirect to `/`. */
export async function shop(options: ShopOptions = {}): Promise<Shop> {
  const { tls = true, production = tls, headers, ...managed } = options;
  const { sessions, backend } = makeManager(production, managed);
  const requests: Seen[] = [];
  const site = await serve(shopListener(sessions, requests, headers), { tls });
  return {
    ...site,
    sessions,
    backend,
    requests,
    asked(path) {
      const [seen, ...others] = requests.filter((each) => each.path === path);
      if (!seen || others.length > 0) throw new Error(`${path} was asked for ${others.length + 1} times`);
      return seen;
    },
  };
}

/** The application behind any server of Node's. */
export function shopListener(
  sessions: SessionManager,
  requests: Seen[],
  headersOf: (path: string) => http.OutgoingHttpHeaders = () => ({}),
): http.RequestListener {
  const use = sessionMiddleware(sessions);
  return (req, res) => {
    const { method = "", url: path = "", headers: asked } = req;
    if (path === "/favicon.ico") {
      res.writeHead(404).end();
      return;
    }
    const from = asked["sec-fetch-site"];
    requests.push({
      method,
      path,
      cookie: asked.cookie,
      from: Array.isArray(from) ? from[0] : from,
      given: () => [res.getHeader("set-cookie") ?? []].flat().map(String),
    });
    use(req, res, (error) => {
      if (error === undefined) void answer(sessions, req, res, headersOf(path));
      else res.writeHead(500, { "content-type": "text/html" }).end("<p>error page</p>");
    });
  };
}

async function answer(
  sessions: SessionManager,
  req: IncomingMessage,
  res: ServerResponse,
  headers: http.OutgoingHttpHeaders,
): Promise<void> {
  const session = await openSession(sessions, req, res);
  const { pathname } = new URL(req.url ?? "", "http://localhost");
  const store = session.store<{ n: number }>("shop");
  if (pathname.endsWith("/login")) session.login("ada");
  if (pathname.endsWith("/logout")) await session.logout();
  if (pathname.endsWith("/write")) store.update("n", (n = 0) => n + 1);
  if (pathname.endsWith("/login") || pathname.endsWith("/logout")) {
    res.writeHead(303, { location: "/", ...headers }).end();
    return;
  }
  res.writeHead(200, { "content-type": "text/html", ...headers });
  res.end(`<p>${session.principal ?? "nobody"}, ${store.get("n") ?? 0}</p>
    <a href="/next">next</a>
    ${form("/login")}${form("/write")}${form("/logout")}`);
}

/** A button that posts to the path of its name. */
export const form = (action: string): string =>
  `<form method="post" action="${action}"><button>${action}</button></form>`;

/** Logs the visitor in, and writes once. */
export async function logIn(page: Page, site: Site, host: string = OURS): Promise<void> {
  await page.goto(site.url(host));
  await press(page, "/login");
  await press(page, "/write");
}

/** Presses a button of the page, and waits for the page that follows. */
export async function press(page: Page, name: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name, exact: true }).click()]);
}

/** What the page shows of its session. */
export const shown = async (page: Pick<Page, "locator">): Promise<string> =>
  (await page.locator("p").textContent()) ?? "";

/** What a page of ours shows after the visitor clicks a link to it. */
export async function visit(page: Page, site: Site, host: string = OURS, path = "/"): Promise<string> {
  await page.goto(site.url(host, path));
  return shown(page);
}
