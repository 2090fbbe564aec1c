import { type ClientRequest, type IncomingHttpHeaders, request } from "node:http";

/** What a browser would send if the visitor pressed the button. */
export interface Form {
  readonly action: string;
  readonly type: string;
  readonly body: Buffer;
}

/** An answer as it came, piece by piece. No redirect was followed. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As many as the program sent: Node hands over every chunk of a chunked body by itself. */
  readonly pieces: readonly string[];
}

/** To be called before anything can come: what Node had to keep meanwhile, it would hand over in one piece. */
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

/** Asks for a page, or a file, on a connection of its own. */
export function get(url: string, cookie: string): Promise<Answer> {
  const req = request(url, { agent: false, headers: { cookie, accept: "text/html" } });
  const answered = answerTo(req);
  req.end();
  return answered;
}

/** What a browser says of the page that a form was on. */
type From = Readonly<Record<"origin" | "sec-fetch-site", string>>;

const ownPage = (form: Form): From => ({
  origin: new URL(form.action).origin,
  "sec-fetch-site": "same-origin",
});

/**
 * Sends all of a form but its last byte, and answers what sends that one. Until then the program is busy with it: so
 * forms overlap for certain.
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
