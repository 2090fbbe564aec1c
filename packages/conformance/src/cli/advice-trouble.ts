import type { Trouble } from "../trouble.ts";

/** Advice on what stands between the kit and the driver's rules. */
export const troubleAdvice: Record<Trouble, string> = {
  crowded: `The backend, or the client's pool, refused because too much was open or asked at once. The kit makes up to
    300 calls at once. That says nothing about this clause. Raise the limit of the pool or of the server, close what
    other tests have left open, or let the driver wait for a free connection.`,
  late: `No answer came in time. That says nothing about this clause. Look whether the backend is far away or busy: the
    kit makes up to 300 calls at once, many of them on one record. Give the driver under test a longer timeout; where
    the target has an outage, only the cases that ask for one ({ outage: true }, the second argument of target.open)
    need a short one. If the call would never end, look for a promise that nobody resolves.`,
  away: `The backend refused, or could not be reached, although no outage was asked for. That says nothing about this
    clause. Read the cause, and the backend's log. If the cause is an error of the driver's own statement, mend that:
    the driver took it for an outage.`,
};

/** Advice on a case that failed in one of these steps. */
export const stepAdvice: Record<string, string> = {
  "outage.cut()": `The target's own outage.cut() failed, so nothing was tested. Mend the target.`,
  "outage.restore()": `The target's own outage.restore() failed. Mend the target, because every later case needs the
    backend.`,
};
