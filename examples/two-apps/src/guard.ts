import { createHash } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { script } from "./script.ts";
import { style } from "./style.ts";

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const POLICY = [
  "default-src 'none'",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  "img-src data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Nothing runs on our pages but our own style and script, no other site may frame them, and no cache keeps them. */
export const secureHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
  });
  next();
};

const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * Whether the request was made by a page of another origin. Browsers say so in `Sec-Fetch-Site`, or, on plain http
 * and in old ones, in `Origin`. A request with neither was not made by a page of any site.
 */
function isCrossOrigin(req: Request): boolean {
  const site = req.get("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = req.get("origin");
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== req.get("host");
}

/** Against request forgery: `SameSite=Lax` is the cookie's part, this is ours. No tokens, nothing to store. */
export const refuseCrossOrigin: RequestHandler = (req, res, next) => {
  if (SAFE.includes(req.method) || !isCrossOrigin(req)) return next();
  res.status(403).type("text").send("This form was sent by another site, so nothing was done.\n");
};

/** The address to go on to, if it is one of this site; `fallback` if it leads elsewhere. */
export function localPath(address: string, fallback: string): string {
  if (!address.startsWith("/") || !URL.canParse(address, "http://here")) return fallback;
  const { origin, pathname, search } = new URL(address, "http://here");
  // "//there" and "/.//there" are addresses of another site, however they look.
  return origin === "http://here" && !pathname.startsWith("//") ? pathname + search : fallback;
}

/** One field of a form that was sent, trimmed; empty where it is missing. */
export function field(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" ? value.trim() : "";
}
