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

/** Our pages use only our own style and script. No other site may frame them, and no cache keeps them. */
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
 * Whether a page of another origin made the request. Browsers say so in `Sec-Fetch-Site`. Old browsers, and all browsers
 * over plain http, say so in `Origin`. A request with neither header comes from no page.
 */
function isCrossOrigin(req: Request): boolean {
  const site = req.get("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = req.get("origin");
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== req.get("host");
}

/** Stops request forgery, together with the cookie's `SameSite=Lax`. It needs no tokens and stores nothing. */
export const refuseCrossOrigin: RequestHandler = (req, res, next) => {
  if (SAFE.includes(req.method) || !isCrossOrigin(req)) return next();
  res.status(403).type("text").send("This form was sent by another site, so nothing was done.\n");
};

/** Returns the address if it belongs to this site, and otherwise `fallback`. */
export function localPath(address: string, fallback: string): string {
  if (!address.startsWith("/") || !URL.canParse(address, "http://here")) return fallback;
  const { origin, pathname, search } = new URL(address, "http://here");
  // "//there" and "/.//there" are addresses of another site.
  return origin === "http://here" && !pathname.startsWith("//") ? pathname + search : fallback;
}

/** Returns one field of the form, trimmed, or "" if it is missing. */
export function field(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" ? value.trim() : "";
}
