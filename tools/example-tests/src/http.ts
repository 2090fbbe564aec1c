import { type ClientRequest, type IncomingHttpHeaders, request } from "node:http";

/** The data that a browser sends when the visitor presses the button. */
export interface Form {
  readonly action: string;
  readonly type: string;
  readonly body: Buffer;
}

/** A response, piece by piece. No redirect was followed. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The pieces as the program sent them: Node hands over every chunk of a chunked body separately. */
  readonly pieces: readonly string[];
}

/** Call this before data can arrive. Node would hand over buffered data in one piece. */
function answerTo(req: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    req.on("error", reject).on("response", (response) => {
      const pieces: string[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, pieces }),
      );
      response.on("error", reject);
    });
  });
}

/** Requests a page or a file on its own connection. */
export function get(url: string, cookie: string): Promise<Answer> {
  const req = request(url, { agent: false, headers: { cookie, accept: "text/html" } });
  const answered = answerTo(req);
  req.end();
  return answered;
}

/** The headers by which a browser names the page of a form. */
type From = Readonly<Record<"origin" | "sec-fetch-site", string>>;

const ownPage = (form: Form): From => ({
  origin: new URL(form.action).origin,
  "sec-fetch-site": "same-origin",
});

/**
 * Sends all of a form except its last byte, and returns a function that sends that byte. Until then the program waits
 * for it, so forms are sure to overlap.
 */
export async function begin(
  form: Form,
  cookie: string,
  from: From = ownPage(form),
): Promise<() => Promise<Answer>> {
  const req = request(form.action, {
    method: "POST",
    agent: false,
    headers: {
      cookie,
      accept: "text/html",
      ...from,
      "content-type": form.type,
      "content-length": form.body.length,
    },
  });
  const answered = answerTo(req);
  await new Promise((resolve) => req.write(form.body.subarray(0, -1), resolve));
  return () => {
    req.end(form.body.subarray(-1));
    return answered;
  };
}

/** Sends a form, as a browser does. */
export async function send(form: Form, cookie: string, from?: From): Promise<Answer> {
  const end = await begin(form, cookie, from);
  return end();
}
