/** Advice on outages and lost answers: R11. */
export const outageAdvice: Record<string, string> = {
  R11: `An unreachable backend must be an error. Catch what the client throws when it has no connection or gets
    no reply in time, and throw DriverUnavailableError with that error as its cause. Never return undefined,
    "gone", false or 0 instead: that logs people out.`,
  "R11.1": `While the backend was away, a write hung, returned a result, or rejected with the client's own
    error. Map the client's codes to DriverUnavailableError (ECONNREFUSED, ECONNRESET, ETIMEDOUT, closed pools
    and sockets), give each call a timeout, and switch off the client's offline queue.`,
  "R11.2": `While the backend was away, load returned undefined or hung. An unreachable backend is not a missing
    record: return undefined only if the backend replied that it has no such record.`,
  "R11.3": `While the backend was away, sweep returned 0 or list returned an empty page, as if there were
    nothing left. Wrap both methods, and every page that they read, in the same mapping of errors as the other
    methods.`,
  "R11.4": `The driver did not work again after the backend came back, because it kept a broken connection or a
    rejected promise of one. Take a connection for each call, discard one that failed, and store no failure.
    Configure the client so that it connects again.`,
  "R11.5": `One commit was written twice. The reply was lost, and the driver or its client sent the commit
    again. Repeat a write only if it certainly did not reach the backend, and switch off the client's own
    retries of writes, unless the backend recognises a repeat.`,
  "R11.6": `The error contains session data: the client's error came through with the statement or its
    parameters (sql, parameters, command, args), and would end up in a log. Throw a new error with the same code
    and your own message. Its cause must hold no session data either.`,
  "R11.7": `A commit whose answer was lost was made twice, or returned a result that is not known. Usual causes: a
    client that sends commands again (autoResendUnfulfilledCommands, retries of HTTP requests, an interceptor), and
    a missing reply that is read as "no row". Switch the client's retries off for writes, and reject with
    DriverUnavailableError.`,
  "R11.8": `A commit whose answer was lost was made later, over a commit that came after it. A client kept it, in an
    offline queue or for a retry, although the driver had already rejected it. Switch such queues and retries off,
    or close the connection when a call is given up.`,
  "R11.9": `A compare-and-set whose answer was lost was sent again, found the version that it had written itself, and
    returned "conflict". Do not repeat it: reject with DriverUnavailableError. If the client must repeat, store a
    mark of the call with the record and compare that.`,
  "R11.10": `A create whose answer was lost was sent again and found its own record, or came late and created a
    record that had been destroyed. A missing reply is not false either. Do not repeat it: reject with
    DriverUnavailableError. The manager never uses that id again.`,
  "R11.11": `A destroy whose answer was lost returned false, because it was sent again and found nothing, or because
    a missing reply was read as a count of 0; or it came late and removed a successor. Do not repeat it: reject
    with DriverUnavailableError.`,
  "R11.12": `A load or a list whose answer was lost returned less than what is stored. Usual causes: an empty reply,
    the rows that came before the connection broke, or the reply of an aborted request, taken for the whole answer.
    Reads may be sent again; otherwise reject with DriverUnavailableError.`,
  "R11.13": `A sweep whose answer was lost was sent again, and counted only what the second call removed. Reject with
    DriverUnavailableError; the next sweep goes on from there.`,
};
