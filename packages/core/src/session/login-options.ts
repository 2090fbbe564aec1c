import { milliseconds } from "../base/duration.ts";
import { checkOptions } from "../base/options.ts";
import type { Settings } from "../context/settings.ts";
import { checkNewPrincipal, percentEscape } from "../record/field-names.ts";
import { type Login, NO_LOGIN, parseLogin } from "../record/login.ts";
import { newToken } from "../token/token.ts";
import type { LoginOptions } from "./session.ts";

const SPANS = ["idle", "absolute", "maxAge"] as const;

/** Reads the options of `login()`. One that is more than the manager's would have no effect, so it is refused. */
export function readLogin(
  { cookie, idle, absolute, perPrincipal }: Settings,
  options: LoginOptions = {},
): Login {
  checkOptions("session.login", options, [...SPANS, "label"]);
  const { label } = options;
  const most = { idle, absolute, maxAge: (cookie.maxAge ?? 0) * 1000 };
  const columns: unknown[] = SPANS.map((name) => {
    const given = options[name];
    if (given === undefined || (name === "maxAge" && given === "session")) return given ?? "-";
    const ms = milliseconds(`session.login: ${name}`, given, name === "maxAge" ? 1000 : 1);
    if (ms > most[name])
      throw new TypeError(`login(): ${name} may not be more than the manager's, ${most[name]} ms`);
    return ms;
  });
  columns.push(perPrincipal ? newToken().id : "-");
  if (label !== undefined) {
    checkNewPrincipal(label, "label");
    columns.push(percentEscape(label));
  } else if (columns.every((column) => column === "-")) return NO_LOGIN;
  return parseLogin(`1 - ${columns.join(" ")}`);
}
