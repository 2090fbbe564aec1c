/** Advice on durability, setup, listings and isolation: R10, and R12 to R14. */
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
  "R10.5": `After another driver's create, this driver still went by what it knew: that the id was missing,
    expired or destroyed. Remember no id as missing, gone or destroyed, and let each create, commit and destroy
    ask the backend.`,
  "R10.6": `After another driver's commit, this driver still went by the version, the expiry, the principal or
    the texts that it had seen. Usual causes: a copy of the record or its version, a touch or an index entry that
    is left out because nothing seems to change, and listings that are kept. Ask the backend on each call.`,
  "R10.7": `After another driver's destroy, this driver still took the record for live. Usual causes: a cached
    record or listing, or a create that returns false from memory. Forgetting on the driver's own destroy is not
    enough, because other processes destroy records as well.`,
  "R10.8": `After another driver's sweep, this driver still went by records that the sweep had removed. Usual
    causes: leftovers, or a listing, that are kept in memory. A sweep may run in any process: keep nothing that
    only this driver's own sweep would clear.`,
  "R10.9": `A random story through several drivers went otherwise than through one driver. So something inside
    the driver object has a part in the result: a cache, a counter, a lock, a list of ids. Repeat it with
    SESSIONS_CONFORMANCE_SEED, read the last call of the story, and move that state into the backend.`,
  "R10.10": `With many writes at once, a write was acknowledged before others could see it. Usual causes: a queue
    or batch that returns when the call is added instead of when the backend has acknowledged it, and a pipeline
    whose replies are not awaited. Resolve each call with the reply to its own write.`,

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
  "R13.15": `The listing of a principal named a record twice. Usual causes: a page that begins with the record at
    which the page before ended (>= instead of >), an index with an entry for each login instead of one for each
    record, or a scan that may return a key again. Continue after the cursor, and key the index by the id.`,
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
  "R14.8": `Of calls that began together, one got the result of another. Usual causes: a batch or a transaction
    that fails or conflicts as a whole, results that are matched by their place after one of them failed or was
    repeated, and state of a call that is kept in the driver object. Give each call its own statement, or match
    each reply to its own call.`,
  "R14.9": `Calls of several namespaces met, and one acted in another's. The namespace is state of a shared
    connection (SET search_path, USE, SELECT of a Redis database), and another call changed it in between. Name
    the namespace in each statement or key.`,
};
