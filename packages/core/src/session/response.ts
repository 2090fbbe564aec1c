/** Where the response to a session's request stands: not begun, or held back; its headers are out; it has ended. */
export type ResponseStage = "held" | "sent" | "over";

/** What the client has, and what the response is to carry. */
export class ResponseState {
  /** `"sealed"` is between `"held"` and `"sent"`: a commit with `seal` is under way. */
  stage: ResponseStage | "sealed" = "held";
  clientHasCookie: boolean;
  cookieToSend: "token" | "clear" | undefined = undefined;
  /** The program looked at the session: its answer may depend on the cookie. */
  wasRead = false;
  #clientHadCookie = false;
  #onPending: (() => ResponseStage) | undefined = undefined;

  constructor(clientHasCookie: boolean) {
    this.clientHasCookie = clientHasCookie;
  }

  noteRead(): void {
    this.wasRead = true;
  }

  /** @param onPending Called once, before there is anything that a commit may write or send. */
  whenPending(onPending: () => ResponseStage): void {
    this.#onPending = onPending;
  }

  becomePending(): void {
    const onPending = this.#onPending;
    if (!onPending) return;
    this.#onPending = undefined;
    const stage = onPending();
    // The headers went out without a commit, because there was nothing to send: the session is sealed from now on.
    if (stage !== "held") this.stage = stage;
  }

  sendToken(): void {
    this.cookieToSend = "token";
  }

  /** After a logout: the client has no cookie of use. An earlier logout of this request may have cleared it already. */
  sendClear(isNeeded: boolean): void {
    if (this.cookieToSend !== "clear") this.cookieToSend = isNeeded ? "clear" : undefined;
    this.clientHasCookie = false;
  }

  /** The headers go out with the commit that begins now: what is staged is in time, and what comes later is not. */
  seal(commitBeginsSession: boolean): void {
    if (this.stage !== "held") return;
    this.#clientHadCookie = this.clientHasCookie;
    this.clientHasCookie ||= this.cookieToSend === "token" || commitBeginsSession;
    this.stage = "sealed";
  }

  /** The commit that seals failed: its cookie does not go out, and the error page begins anew. */
  unseal(): void {
    if (this.stage !== "sealed") return;
    this.stage = "held";
    this.clientHasCookie = this.#clientHadCookie;
  }

  /** What this response is to carry: nothing of a session that is gone, whose successor's cookie must not be overwritten. */
  takeCookie(isGone: boolean, seal: boolean): "token" | "clear" | undefined {
    const { cookieToSend } = this;
    if (seal || isGone) this.cookieToSend = undefined;
    if (seal && this.stage !== "over") this.stage = "sent";
    return isGone ? undefined : cookieToSend;
  }
}
