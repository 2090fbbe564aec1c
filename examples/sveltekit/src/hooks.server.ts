import { withSession } from "@sessions/adapter-fetch";
import type { Handle } from "@sveltejs/kit/hooks";
import { sessions } from "./lib/server/sessions.ts";

// Wraps everything: pages, form actions, endpoints, and requests of the client's router (`__data.json`).
export const handle: Handle = ({ event, resolve }) =>
  withSession(sessions, event.request, (session) => {
    event.locals.session = session;
    return resolve(event);
  });
