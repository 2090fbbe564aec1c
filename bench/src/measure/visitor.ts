/** A browser's cookies: it sends the cookies of a response with later requests. */
export interface Visitor {
  get(path: string): Promise<string>;
  post(path: string): Promise<string>;
  /** The current Cookie header. */
  cookie(): string;
}

/**
 * Makes a visitor of a site, without cookies or with those of a Cookie header.
 * @param explain Returns more text for the error if the site responds with an error.
 */
export function createVisitor(origin: string, cookie: string | undefined, explain: () => string): Visitor {
  const jar = new Map(!cookie ? [] : cookie.split("; ").map(splitPair));
  const header = (): string => [...jar].map((pair) => pair.join("=")).join("; ");

  async function request(method: string, path: string): Promise<string> {
    const sent = header();
    const response = await fetch(origin + path, { method, headers: sent === "" ? {} : { cookie: sent } });
    const body = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}; ${explain()}`);
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name, value] = splitPair(pair);
      if (attributes.some(isPast)) jar.delete(name);
      else jar.set(name, value);
    }
    return body;
  }
  return {
    get: (path) => request("GET", path),
    post: (path) => request("POST", path),
    cookie: header,
  };
}

function splitPair(pair: string): [string, string] {
  const end = pair.indexOf("=");
  return [pair.slice(0, end), pair.slice(end + 1)];
}

function isPast(attribute: string): boolean {
  const [name, value] = splitPair(attribute);
  if (/^max-age$/i.test(name)) return Number(value) <= 0;
  return /^expires$/i.test(name) && Date.parse(value) <= Date.now();
}
