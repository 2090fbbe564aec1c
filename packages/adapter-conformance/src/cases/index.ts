import type { Case } from "../kit.ts";
import { BACKEND } from "./backend.ts";
import { COOKIES } from "./cookies.ts";
import { HEADS } from "./heads.ts";
import { LOGINS } from "./logins.ts";
import { REQUESTS } from "./requests.ts";
import { RESPONSES } from "./responses.ts";
import { STREAMS } from "./streams.ts";
import { WRAPPED } from "./wrapped.ts";

/** Every case of the kit, in the order of SPEC.md. */
export const cases: readonly Case[] = [
  ...REQUESTS,
  ...COOKIES,
  ...LOGINS,
  ...RESPONSES,
  ...STREAMS,
  ...HEADS,
  ...WRAPPED,
  ...BACKEND,
].sort((a, b) => a.rule.localeCompare(b.rule, "en", { numeric: true }));
