import { AssertionError } from "node:assert";
import type { Finding } from "./run.ts";

/** What the failed assertion saw, with the values of cookies left out. */
function seenBy(error: Error): string {
  if (!(error instanceof AssertionError && error.generatedMessage))
    return error.message.replace(/ Input:.*$/s, "");
  const text = JSON.stringify(error.actual) ?? "undefined";
  return text.replace(/"(?:sid|own)=[^"]*"/g, "cookie");
}

/** What a finding looks like, and how to say it. The first one that fits is said. */
const SENTENCES: readonly (readonly [rules: RegExp, seen: RegExp, sentence: string])[] = [
  [/^H1\.1$/, /^\["response"/, "the head of the response arrived before the store had the write"],
  [/^H1\.2$/, /./, "the page after the redirect did not show what was written"],
  [
    /^H1\.3$/,
    /^\[2,\["kept"/,
    "of eight overlapping requests that count, one counted; what they wrote to different keys was kept",
  ],
  [
    /^H1\.3$/,
    /^\[9,/,
    "of eight overlapping requests that write different keys, not all writes were kept; the counter was right",
  ],
  [/^H1\.3$/, /./, "of eight overlapping requests, only the writes of the last one were kept"],
  [/^H1\.4$/, /./, "the write of a client that disconnected was not in the session"],
  [
    /^H1\.6$/,
    /^\["whole","ended","committed"\]/,
    "the client had the whole body before the store had the write",
  ],
  [
    /^H1\.[567]$/,
    /aborted/,
    "a write during the stream was an error, after the head was sent, that cut the stream",
  ],
  [/^H1\.[567]$/, /./, "what was written during the stream was not in the session"],
  [/^H2\.1$/, /\["create/, "each request without a cookie made a session in the store"],
  [/^H2\.1$/, /cookie/, "a request without a cookie that writes nothing got one"],
  [/^H2\.3$/, /cookie/, "each response to a visitor had the session's cookie"],
  [/^H2\.4$/, /./, "if the request had two cookies with the session's name, only the first was looked at"],
  [/^H3\.[16]$/, /./, "the write did not throw, and was not in the session"],
  [/^H3\.[27]$/, /./, "the write did not throw, and there was no session with it"],
  [/^H3\.[38]$/, /./, "the login did not throw, and nobody was logged in"],
  [/^H4\.[123]$/, /mallory/, "the login stayed, and the response had its cookie"],
  [
    /^H4\.4$/,
    /^\[null,"mallory"\]/,
    "the login and what was written after it stayed; what was written before it did not",
  ],
  [/^H4\.4$/, /mallory/, "the login and what was written after it stayed"],
  [/^H4\.4$/, /./, "what was written before the login did not stay"],
  [/^H4\.5$/, /cookie/, "the response with the error had a new cookie: the login stayed"],
  [/^H4\.5$/, /mallory/, "the visitor's own session had the login, and what was written after it"],
  [/^H4\.5$/, /./, "the visitor's cookie opened its session no more"],
  [/^H4\.6$/, /./, "the login was not in the session that the client had afterwards"],
  [/^H4\.8$/, /create/, "the store had a new session, and the error page had no cookie for it"],
  [/^H4\.9$/, /./, "the client had a session without what was in it before the login, or none"],
  [/^H5\.[1-4]$/, /./, "the response had the session's cookie, and the handler's own Cache-Control or none"],
  [
    /^H5\.8$/,
    /./,
    "the response had the session's cookie, and kept the headers for caches that the handler had set",
  ],
  [/^H5\.9$/, /./, "the response had no Vary: Cookie"],
  [/^H6\.[1-5]$/, /cookie/, "the request began a session, as one from the same site would"],
  [/^H6\.[1-5]$/, /create/, "the request began a session in the store"],
  [
    /^H6\.6$/,
    /cookie/,
    "with SameSite=Strict, a request from another site began a session that replaces the visitor's",
  ],
  [/^H7\.6$/, /aborted/, "a first write during the stream did not throw, and a login cut the stream"],
  [
    /^H7\.6$/,
    /cookie/,
    "a cookie went out although nothing was written before the head; a write and a login during the stream did not throw, and were lost",
  ],
  [/^H7\.6$/, /./, "a write and a login during the stream did not throw"],
  [/^H8\.[12]$/, /cookie/, "the response had the session's cookie, with nothing new to say"],
  [/^H8\.1$/, /\["create"/, "a first write caused more than one write of the store"],
  [/^H8\.2$/, /commit/, "each request wrote the session's new expiry to the store"],
  [/^H8\.3$/, /cookie/, "the response had the session's cookie again"],
  [/^H8\.3$/, /load/, "the request read or wrote the store more often than once"],
  [
    /^H9\.1$/,
    /./,
    "a request that its headers show to be over https got a cookie without Secure, if no setting says otherwise",
  ],
  [/^H9\.3$/, /./, "over a connection without TLS of its own, no Secure cookie was sent"],
  [/^H10\.1$/, /^\[false/, "the handler ran, with an empty session in place of the visitor's"],
  [/^H10\.2$/, /^\[true/, "the error page had a header of the handler's reply"],
  [/^H10\.[2456]$/, /^\[false|^\[200/, "the handler's reply went out as if the write had succeeded"],
  [/^H10\.[25]$/, /^\[true,\[cookie/, "the error page had the session's cookie"],
  [/^H10\.3$/, /not ended/, "the error page went out, and the stream was not ended"],
  [/^H10\.3$/, /./, "the stream went out as if the write had succeeded"],
  [/^H10\.6$/, /cookie/, "the error page had a cookie for a session that was not stored"],
  [/^H10\.6$/, /./, "the visitor's session had ended before the new one could not be stored"],
  [/^H10\.7$/, /./, "the response was complete for the client, without the write"],
  [/^H11\.[1-6]$/, /logged in/, "the write was stored; a login after it did not throw"],
  [
    /^H11\.[1-6]$/,
    /^undefined/,
    "a login after the response did not throw, and the visitor's session had ended",
  ],
  [/^H11\.[1-7]$/, /./, "the write did not throw, and was not in the session"],
  [/^H13\.1$/, /,0\]/, "the login sent no new cookie"],
  [/^H13\.1$/, /^1$/, "the old cookie still opened the session after the login"],
  [/^H13\.1$/, /^undefined$/, "the session after the login was empty"],
  [/^H13\.2$/, /,0\]/, "the logout ended the session, and left the cookie in the browser"],
  [/^H13\.2$/, /^1$/, "the old cookie still opened the session after the logout"],
  [/^H13\.[23]$/, /false/, "the logout did not clear the cookie"],
  [/^H13\.3$/, /ada/, "the old cookie still opened the session of the user after the logout"],
  [/^H13\.4$/, /cookie/, "the late write made a new session, with a cookie"],
  [/^H13\.4$/, /./, "the late write brought the ended session back"],
  [/^H13\.5$/, /cookie/, "the late response had a cookie that replaces the one of the login"],
  [
    /^H13\.5$/,
    /^1$/,
    "a later request with the old cookie began a session, with a cookie that replaces the one of the login",
  ],
  [/^H14\.1$/, /^0$/, "a request that writes nothing did not move the expiry"],
  [/^H13\.5$/, /^undefined$/, "after the late response, the user was logged in no more"],
  [
    /^H2\.7$/,
    /^(?:\[\]|""|undefined)$/,
    "over a connection without TLS of its own, no Secure cookie was sent",
  ],
  [/^H4\.11$/, /,0\]$/, "the login sent no new cookie"],
  [/^H13\.2$/, /^cookie$/, "the cookie was cleared with another Path than its own"],
];

/** Says in one sentence what a case saw of a library. */
export function sentenceOf({ rule, error }: Finding): string {
  if (!error) return "nothing.";
  const seen = seenBy(error);
  const found = SENTENCES.find(([rules, looks]) => rules.test(rule) && looks.test(seen));
  return found ? `${found[2]}.` : `the case saw \`${seen.replaceAll("\n", " ").slice(0, 120)}\`.`;
}
