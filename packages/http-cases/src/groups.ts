import { ANSWERS } from "./cases/answers.ts";
import { BACKEND } from "./cases/backend.ts";
import { COOKIES } from "./cases/cookies.ts";
import { HEADS } from "./cases/heads.ts";
import { LOGINS } from "./cases/logins.ts";
import { REQUESTS } from "./cases/requests.ts";
import { STRANGERS } from "./cases/strangers.ts";
import { STREAMS } from "./cases/streams.ts";
import type { Case } from "./kit.ts";

/** The whole list, by what its cases are about. */
export const GROUPS: readonly { readonly name: string; readonly cases: readonly Case[] }[] = [
  { name: "What a request costs, and what comes of it", cases: REQUESTS },
  { name: "What cookies come, and what cookies and headers go", cases: COOKIES },
  { name: "Sessions that begin, turn and end", cases: LOGINS },
  { name: "What an answer makes of the session, and the session of it", cases: ANSWERS },
  { name: "Bodies that come in pieces", cases: STREAMS },
  { name: "Writes while the head goes out, and when the response is over", cases: HEADS },
  { name: "Sessions that the adapter cannot look into", cases: STRANGERS },
  { name: "Backends that are down, and handlers that fail", cases: BACKEND },
];
