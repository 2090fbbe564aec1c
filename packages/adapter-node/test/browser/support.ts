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

/** Our host. To a browser a site is what comes before a top-level domain, here `example`, and all below it. */
export const OURS = "shop.example";
/** The same site as ours. */
export const SUBDOMAIN = "app.shop.example";
/** Another site. */
export const OTHER = "other.example";
/** And another one. */
export const THIRD = "third.example";

/** One throw-away certificate for all names. */
let keys: Certificate;
/** Every name is this machine, and the certificate is as good as a bought one: pages with a bad one are never cached. */
let args: readonly string[];
let browser: Browser;

async function prepare(): Promise<void> {
  keys = await makeCertificate([OURS, SUBDOMAIN, OTHER, THIRD, "localhost"]);
  const publicKey = new X509Certificate(keys.cert).publicKey.export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(publicKey).digest("base64");
  args = ["--host-resolver-rules=MAP * 127.0.0.1", `--ignore-certificate-errors-spki-list=${hash}`];
}

/** Tests that share one browser; skipped where there is none, of which the run has told. */
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

/** A visitor's browser with an empty jar of cookies. */
export async function visitor(): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
}

/** A browser as a person has it, which can be closed and started again. */
export interface Profile {
  /** Starts it, or closes it and starts it again. */
  readonly start: () => Promise<Page>;
}

/**
 * A profile in a folder of its own. What a browser does by default with other sites' cookies differs, so we say it.
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

/** What reached a server. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** The Cookie header. */
  readonly cookie: string | undefined;
  /** Sec-Fetch-Site. */
  readonly from: string | undefined;
  /** The Set-Cookie headers of the response, once it is there. */
  readonly given: () => readonly string[];
}

/** A server, by whatever name the browser asks for. */
export interface Site {
  readonly port: number;
  readonly url: (host: string, path?: string) => string;
}

interface ListenOptions {
  /** @default true */
  readonly tls?: boolean;
}

/** Starts a server that its test closes, and answers its port. */
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

/** The certificate, for servers of a test's own. */
export const certificate = (): Certificate => keys;

/** Answers without a session, by their paths: a page, or headers alone; each name is another site. */
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

/** What NODE_ENV says while a manager is made. */
type Production = boolean | "unsaid";

interface ShopOptions extends SessionManagerOptions, ListenOptions {
  /** Whether the manager is made as in production; "unsaid" without NODE_ENV. @default true with TLS */
  readonly production?: Production;
  /** What the application sends with a path. */
  readonly headers?: (path: string) => http.OutgoingHttpHeaders;
}

/** An application of ours. */
export interface Shop extends Site {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  readonly requests: Seen[];
  /** The one request for a path. */
  readonly asked: (path: string) => Seen;
}

/** A manager on a backend of its own, made as in production or not, or without NODE_ENV. */
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

/** Every path shows who is logged in and what `/write` counted; `/login` and `/logout` redirect to `/`. */
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

/** A button that posts, named as what it posts to. */
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

/** What the page says of its session. */
export const shown = async (page: Pick<Page, "locator">): Promise<string> =>
  (await page.locator("p").textContent()) ?? "";

/** What a page of ours shows at a click of the visitor's own. */
export async function visit(page: Page, site: Site, host: string = OURS, path = "/"): Promise<string> {
  await page.goto(site.url(host, path));
  return shown(page);
}
