/** Advice on durability, outages, setup, listings and isolation: R10 to R14. */
export const backendAdvice: Record<string, string> = {
  R10: `A write that was acknowledged must be visible to every other driver, and must stay. Return only after
    the backend has acknowledged the write, and keep no record inside the driver. Ask for the backend's full
    acknowledgement (w: "majority", the primary, no write-behind).`,
  "R10.1": `A second driver read a record as it was before an acknowledged commit. Usual causes: a cache in the
    driver, a read from a replica, an open transaction with an old snapshot, or a commit that returned while its
    write was still queued. Read from the primary, and end the transaction before you return.`,
  "R10.2": `A second driver did not see an acknowledged create, touch or destroy. Either the call returned
    before it was written, or the second driver remembered the id as unknown or as live. Cache neither records
    nor their absence, and write a touch like any other commit.`,
  "R10.3": `Records were lost when the driver that wrote them was closed. Usual causes: writes buffered in the
    driver, a transaction without COMMIT, or a backend that lives inside the driver object. Write before you
    return, so that close has nothing to flush. If the records cannot outlive the driver, set shared: false in
    the target.`,
  "R10.4": `A driver showed data that another driver had already replaced. Usual causes: a cache, a replica, an
    open transaction with an old snapshot, or a commit that was acknowledged before it was written. Keep no
    record inside the driver, read from the primary, and write before you return.`,

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

  R12: `setup creates what is missing and changes nothing else (IF NOT EXISTS). check looks at each object and
    names each one that is missing. teardown drops the driver's own objects, and succeeds if some are already
    gone (IF EXISTS).`,
  "R12.1": `check complained right after setup. Usual causes: it compares other names, another schema or another
    case of letters, or it looks before an index is ready. Let setup and check read one description of the
    objects, and let setup wait until they are ready.`,
  "R12.2": `A second setup lost or changed records: it dropped and created objects again, or wrote back older
    data. setup runs at every start of every process while other processes write. Use CREATE … IF NOT EXISTS,
    and only those alterations that keep the rows.`,
  "R12.3": `Two setups ran at once, both found nothing, and the second creation failed. IF NOT EXISTS alone can
    still collide (PostgreSQL reports 23505 or 42P07). Treat "already exists" as success, or hold a lock around
    the whole setup (pg_advisory_lock, GET_LOCK).`,
  "R12.4": `check must find what teardown removed, and must not repair it. Usual causes: check tests only the
    connection, remembers that setup ran, or creates what is missing. Ask the backend on each call, change
    nothing, and return one sentence for each missing object.`,
  "R12.5": `Records survived teardown: in an index, in a second table, or as keys under the prefix. Remove
    everything that setup and the five methods have written.`,
  "R12.6": `teardown removed objects of another namespace, because its pattern was too wide: a prefix with which
    another prefix begins, "_" and "%" in LIKE, * and ? in SCAN MATCH, or a whole schema or folder. Name the
    objects exactly, with a separator after the prefix.`,
  "R12.7": `teardown failed because an object was already gone. Use DROP … IF EXISTS, and treat "not found"
    (42P01, NamespaceNotFound, ResourceNotFoundException, ENOENT) as success. Two teardowns at once must both
    succeed.`,
  "R12.8": `Without setup, a call returned undefined, "gone" or 0, or rejected with the client's own error. Map
    "missing table" to SessionSetupError: 42P01, ER_NO_SUCH_TABLE, "no such table", ResourceNotFoundException,
    ENOENT of the folder. If the backend creates missing objects by itself, look for them before you write.`,
  "R12.9": `A call failed or lost data because setup ran beside it. Usual causes: an ALTER or an index that
    locks the table, or old data that setup wrote back. First look whether anything is missing, and change
    nothing if all is there. Create indexes without a lock on writes (CREATE INDEX CONCURRENTLY), and repeat a
    call that a lock of setup has aborted.`,

  R13: `Page by the record's key (WHERE id > :cursor ORDER BY id LIMIT :limit). Only a missing cursor ends a
    listing. Check each record that an index names, and write a separate index before the record.`,
  "R13.1": `The listing missed live records or did not end. Usual causes: a short or empty page was taken for
    the end (only a missing cursor is the end), limit was applied to the whole listing instead of one page, or
    the cursor was null instead of undefined.`,
  "R13.2": `A listed record differs from the record that load returns: fields are missing, or numbers are text.
    Read each record with the same code as load, and add its id.`,
  "R13.3": `The listing passed over records while others came and went. OFFSET, or a position in an array, moves
    when earlier records are removed. Continue after the last key that was returned: id > :cursor.`,
  "R13.4": `The listing passed over records while they were read and written. It is ordered by a value that
    commits change (last use, expiry, version), so records move past the cursor. Order by the id, which never
    changes.`,
  "R13.5": `The listing of one principal named records of another. Usual causes: a collation that ignores case
    or trailing spaces, LIKE or another pattern, a trim or a normalisation, or a key cut at its maximum length.
    Compare bytes (VARBINARY, COLLATE "C"; utf8mb4_bin ignores trailing spaces), or compare a hash.`,
  "R13.6": `The listing of a principal missed records. The driver read one page of the whole table and filtered
    it afterwards, so a page without a match ended the listing. Put the principal into the query, or continue
    until the index ends.`,
  "R13.7": `A record stayed in the listing of its old principal, or is missing from the listing of its new one.
    Write the new index entry and remove the old one in the record's own transaction. If that takes two steps,
    write the new entry first, and let list check each record's own principal.`,
  "R13.8": `The listing named an expired record, or missed a live one. Compare each record's stored expiry with
    the \`now\` that list received (expires_at > :now). Do not use the backend's clock, nor a copy of the expiry
    in the index that a touch does not move.`,
  "R13.9": `The listing named a destroyed record, because an index still names it. Remove the index entry in
    destroy, or skip entries whose record is gone.`,
  "R13.10": `The listing of a principal lost records when several were written at once. The index is a single
    value that each writer reads, changes and writes back. Keep one entry for each record (a row, a member of a
    set, a file), and write it before the record.`,

  R14: `Put the namespace into every key, table or folder name, exactly and with a separator. Compare ids and
    principals as bytes.`,
  "R14.1": `A driver saw records of another namespace. First check that target.open(namespace) passes the name
    on to the driver. Then check the driver: put a separator between prefix and id, do not shorten names or
    remove "_" from them, and share no Map between drivers.`,
  "R14.2": `A sweep removed records of another namespace. Usual causes: SCAN or LIKE with a prefix with which
    another one begins ("_" matches any character), or one index of expiries for all namespaces. Keep one index
    for each namespace, and escape patterns.`,
  "R14.3": `A listing named records of another namespace, because several namespaces share it or its index on
    principals. Put the namespace into the index's key, and escape it if it is part of a pattern.`,
  "R14.4": `Two different ids were treated as one. The driver compares them as numbers ("…0e1" and "…10" are the
    same number) or cuts them. Store ids as text or bytes of 32 characters, and compare them exactly.`,
  "R14.5": `The principal came back changed: trimmed, padded (CHAR), in another case, normalised, or cut below
    255 bytes. Use VARBINARY(255), or TEXT with a bytewise collation, and a UTF-8 connection.`,
  "R14.6": `A call changed another record as well. The statement lacks the id in its condition, or selects by
    principal or prefix. Let every write name exactly one id.`,
};
