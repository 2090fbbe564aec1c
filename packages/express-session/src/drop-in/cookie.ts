import { stringifySetCookie } from "cookie";

/** The settings of a session's cookie, as express-session takes them. */
export interface SessionCookieOptions {
  /** How long the session and its cookie live after the last request, in milliseconds. @default the browser's session */
  maxAge?: number | null | undefined;
  /** When the cookie ends; `maxAge` is the better choice. */
  expires?: Date | null | undefined;
  /** @default true */
  httpOnly?: boolean | undefined;
  /** The path for which browsers send the cookie, and for which there is a session. @default "/" */
  path?: string | undefined;
  domain?: string | undefined;
  /** Only over https; `"auto"`: as the request came. @default false */
  secure?: boolean | "auto" | undefined;
  sameSite?: boolean | "lax" | "strict" | "none" | "auto" | undefined;
  priority?: "low" | "medium" | "high" | undefined;
  partitioned?: boolean | undefined;
  /** Without effect, as in express-session: the cookie is always signed. */
  signed?: boolean | undefined;
  /** Without effect, as in express-session. */
  encode?: ((value: string) => string) | undefined;
}

const isDate = (value: unknown): value is Date => value instanceof Date;

/** `req.session.cookie`: the settings of one session's cookie. They can be changed, and are stored with the session. */
export class Cookie {
  path = "/";
  httpOnly = true;
  /** The `maxAge` that was set last, in milliseconds; `null` if the cookie ends with the browser. */
  originalMaxAge: number | null;
  declare domain?: string | undefined;
  declare secure?: boolean | "auto" | undefined;
  declare sameSite?: boolean | "lax" | "strict" | "none" | "auto" | undefined;
  declare priority?: "low" | "medium" | "high" | undefined;
  declare partitioned?: boolean | undefined;
  /** Some stores read it. */
  _expires: Date | null | undefined = null;

  constructor(options?: object) {
    if (options && typeof options !== "object") throw new TypeError("argument options must be a object");
    this.originalMaxAge = null;
    for (const key in options) if (key !== "data") Reflect.set(this, key, Reflect.get(options, key));
    this.originalMaxAge ??= this.maxAge ?? null;
  }

  get expires(): Date | null | undefined {
    return this._expires;
  }

  set expires(date: Date | null | undefined) {
    this._expires = date;
    this.originalMaxAge = this.maxAge ?? null;
  }

  /** In milliseconds from now; `null` if the cookie ends with the browser. */
  get maxAge(): number | null | undefined {
    const expires = this._expires;
    return isDate(expires) ? expires.getTime() - Date.now() : expires;
  }

  set maxAge(given: number | Date | null | undefined) {
    if (given && typeof given !== "number" && !isDate(given))
      throw new TypeError("maxAge must be a number or Date");
    this.expires = typeof given === "number" ? new Date(Date.now() + given) : given;
  }

  /** What is stored. */
  get data(): object {
    const { originalMaxAge, partitioned, priority, expires, secure, httpOnly, domain, path, sameSite } = this;
    return { originalMaxAge, partitioned, priority, expires, secure, httpOnly, domain, path, sameSite };
  }

  /** The value of a `Set-Cookie` header. */
  serialize(name: string, value: string): string {
    const { partitioned, priority, expires, secure, httpOnly, domain, path, sameSite } = this;
    return stringifySetCookie({
      name,
      value,
      ...(expires && { expires }),
      ...(domain && { domain }),
      ...(path && { path }),
      ...(httpOnly && { httpOnly }),
      ...(secure && { secure: true }),
      ...(priority && { priority }),
      ...(partitioned && { partitioned }),
      ...(sameSite && sameSite !== "auto" && { sameSite }),
    });
  }

  toJSON(): object {
    return this.data;
  }
}
