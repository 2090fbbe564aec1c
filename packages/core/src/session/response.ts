/** The stage of a response: not begun or held back (`held`), headers gone out (`sent`), ended (`over`). */
export type ResponseStage = "held" | "sent" | "over";

/** Which cookie the client has, and which one the response must carry. */
export class ResponseState {
  /** `"sealed"` is between `"held"` and `"sent"`: a commit with `seal: true` is under way. */
  stage: ResponseStage | "sealed" = "held";
  clientHasCookie: boolean;
  cookieToSend: "token" | "clear" | undefined = undefined;
  /** The program looked at the session, so its response may depend on the cookie. */
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
    // The headers went out without a commit, because there was nothing to send. Treat the session as sealed.
    if (stage !== "held") this.stage = stage;
  }

  sendToken(): void {
    this.cookieToSend = "token";
  }

  /**
   * After a logout the cookie of the client is useless. An earlier logout of this request may already have cleared it.
   */
  sendClear(isNeeded: boolean): void {
    if (this.cookieToSend !== "clear") this.cookieToSend = isNeeded ? "clear" : undefined;
    this.clientHasCookie = false;
  }

  /** The headers go out with the commit that begins now. What is staged is in time, later changes are not. */
  seal(commitBeginsSession: boolean): void {
    if (this.stage !== "held") return;
    this.#clientHadCookie = this.clientHasCookie;
    this.clientHasCookie ||= this.cookieToSend === "token" || commitBeginsSession;
    this.stage = "sealed";
  }

  /** The sealed commit failed. Its cookie does not go out, and the error page may send another. */
  unseal(): void {
    if (this.stage !== "sealed") return;
    this.stage = "held";
    this.clientHasCookie = this.#clientHadCookie;
  }

  /** The cookie for this response. For a gone session there is none, because it could overwrite a newer cookie. */
  takeCookie(isGone: boolean, seal: boolean): "token" | "clear" | undefined {
    const { cookieToSend } = this;
    if (seal || isGone) this.cookieToSend = undefined;
    if (seal && this.stage !== "over") this.stage = "sent";
    return isGone ? undefined : cookieToSend;
  }
}
