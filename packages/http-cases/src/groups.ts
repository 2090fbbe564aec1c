import { BACKEND } from "./cases/backend.ts";
import { COOKIES } from "./cases/cookies.ts";
import { HEADS } from "./cases/heads.ts";
import { LOGINS } from "./cases/logins.ts";
import { REQUESTS } from "./cases/requests.ts";
import { RESPONSES } from "./cases/responses.ts";
import { STREAMS } from "./cases/streams.ts";
import { WRAPPED } from "./cases/wrapped.ts";
import type { Case } from "./kit.ts";

/** All cases, by subject. */
export const GROUPS: readonly { readonly name: string; readonly cases: readonly Case[] }[] = [
  { name: "Requests and commits", cases: REQUESTS },
  { name: "Cookies and headers", cases: COOKIES },
  { name: "Logins, rotations and logouts", cases: LOGINS },
  { name: "Error responses, caches, touch and https", cases: RESPONSES },
  { name: "Streams", cases: STREAMS },
  { name: "Writes while the head goes out, and after the response", cases: HEADS },
  { name: "Wrapped managers and sessions", cases: WRAPPED },
  { name: "Backends that are down, and handlers that fail", cases: BACKEND },
];
