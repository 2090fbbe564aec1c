import { ANSWERS } from "./cases/answers.ts";
import { BACKEND } from "./cases/backend.ts";
import { COOKIES } from "./cases/cookies.ts";
import { LOGINS } from "./cases/logins.ts";
import { REQUESTS } from "./cases/requests.ts";
import { STREAMS } from "./cases/streams.ts";
import type { Case } from "./kit.ts";

/** The whole list, by what its cases are about. */
export const GROUPS: readonly { readonly name: string; readonly cases: readonly Case[] }[] = [
  { name: "What a request costs, and what comes of it", cases: REQUESTS },
  { name: "What cookies come, and what cookies and headers go", cases: COOKIES },
  { name: "Sessions that begin, turn and end", cases: LOGINS },
  { name: "What an answer makes of the session, and the session of it", cases: ANSWERS },
  { name: "Bodies that come in pieces", cases: STREAMS },
  { name: "Backends that are down, and handlers that fail", cases: BACKEND },
];
