import { getIronSession } from "@sessions/iron-session";
import { cookies } from "next/headers";
import { type Data, options } from "../options.ts";

let waiting: (() => void) | undefined;

/** Waits until two requests wait here, so that they overlap. */
const meet = (): Promise<void> =>
  new Promise((resolve) => {
    if (!waiting) {
      waiting = resolve;
      return;
    }
    waiting();
    waiting = undefined;
    resolve();
  });

/** `?first` by cookies(), `?second` by the request. */
export async function POST(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const headers = new Headers();
  const isFirst = searchParams.has("first");
  const session = isFirst
    ? await getIronSession<Data>(await cookies(), options)
    : await getIronSession<Data>(request, headers, options);
  await meet();
  session[isFirst ? "first" : "second"] = "written";
  await session.save();
  return new Response("Written", { headers });
}
