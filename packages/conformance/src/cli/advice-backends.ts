/** For what is shared, away, set up, listed and apart: R10 to R14. */
export const backendAdvice: Record<string, string> = {
  R10: `Answer after the backend has acknowledged the write, and keep nothing of a record inside the
    driver. Ask for the backend's full acknowledgement (w: "majority", the primary, no write-behind).`,
  "R10.1": `The reader believed something older: a cache in the driver, a replica, a snapshot held by an
    open transaction, or a write that was queued when commit answered. Read from the primary, and close
    transactions before answering.`,
  "R10.2": `Create, touch or destroy was acknowledged before it was written, or the other driver remembers
    that the id was unknown or live. Cache neither records nor their absence; a touch has to be written
    like any other commit.`,
  "R10.3": `Closing lost what was acknowledged: writes buffered in the driver, a transaction that was
    never committed, a backend that belongs to the driver object. Write before answering, and let close
    flush nothing that matters. Where the records cannot outlive the driver, the target says shared:
    false.`,
  "R10.4": `One driver showed what another had already replaced: from a cache, a replica, a snapshot held
    open, or a commit that was acknowledged before it was written. Keep nothing inside the driver, read
    from the primary, and write before answering.`,

  R11: `Catch what the client throws when it has no connection, or gets no answer in time, and throw
    DriverUnavailableError with it as the cause. Never answer undefined, "gone", false or 0 in its place:
    that logs people out.`,
  "R11.1": `A write rejected with the client's own error, answered as if nothing were there, or waited for
    ever. Map the client's codes (ECONNREFUSED, ECONNRESET, ETIMEDOUT, closed pools and sockets), give
    each call a timeout, and turn off the client's queue for when it is offline.`,
  "R11.2": `load turned an error into undefined, or waited. An unreachable backend and a missing record
    are different answers: only a reply that says "nothing" is undefined.`,
  "R11.3": `sweep or list took an error for the end: 0, or an empty page. Let the same mapping of errors
    go round these two, and every page of them.`,
  "R11.4": `The driver kept a broken connection, or a rejected promise of one. Take a connection for each
    call, throw away the one that failed, and remember no failure; give the client a way to connect
    again.`,
  "R11.5": `A commit whose answer was lost was sent again, and was made twice. Repeat only what surely was
    not made, and turn off the client's own retries of writes, unless the backend recognises the repeat.`,
  "R11.6": `The client's error came along as it was, with the statement or its parameters in a message or
    a property (sql, parameters, command, args), and ends in a log. Pass on a new error with its code and
    a message of your own, also as the cause.`,

  R12: `setup creates what is missing and nothing else (IF NOT EXISTS), check looks at each thing and
    names it, teardown drops the driver's own objects, also where some are missing (IF EXISTS).`,
  "R12.1": `check complains of what setup has just made: it compares with other names, another schema,
    another case, or asks before an index is ready. Let both go by one description, and let setup wait
    until it is ready.`,
  "R12.2": `setup dropped and made anew, replaced, or wrote back what it had read before. CREATE … IF NOT
    EXISTS, and alterations that keep the rows; it runs at every start of every process, while others write.`,
  "R12.3": `Two setups looked, and both created. IF NOT EXISTS alone may still collide (PostgreSQL reports
    23505 or 42P07): take "already exists" for success, or hold a lock (pg_advisory_lock, GET_LOCK) around
    all of it.`,
  "R12.9": `setup held up or failed what went on beside it, or wrote back what it had read. Look first
    whether anything is missing, alter nothing where all is there, make indexes without a lock on writes
    (CREATE INDEX CONCURRENTLY), and repeat a call of theirs that a lock of setup's has ended.`,
  "R12.4": `check looked at nothing, or at the connection only, or remembered that setup had run, or made
    what it missed. Ask the backend each time, change nothing, and answer one sentence for each thing.`,
  "R12.5": `teardown kept records: of an index, in a second table, as keys under the prefix. Remove all
    that setup and the five methods have written.`,
  "R12.6": `teardown went by too wide a pattern: a prefix that begins another one, "_" and "%" in LIKE, *
    and ? in SCAN MATCH, a whole schema or folder. Name the objects exactly, with a separator after the
    prefix.`,
  "R12.7": `A missing object was an error. DROP … IF EXISTS, and "not found" (42P01, NamespaceNotFound,
    ResourceNotFoundException, ENOENT) taken for success, also where two teardowns meet.`,
  "R12.8": `The missing table came through as the client's own error, or as an answer: undefined, "gone",
    0. Map it (42P01, ER_NO_SUCH_TABLE, "no such table", ResourceNotFoundException, ENOENT of the folder)
    to SessionSetupError; where the backend makes by itself what is missing, look for it first.`,

  R13: `Page by the record's key (WHERE id > :cursor ORDER BY id LIMIT :limit), end by a missing cursor
    and by nothing else, and check each record that an index names. Write an index that is kept apart
    before the record.`,
  "R13.1": `Pages began or ended wrongly: a short or empty page is no end, only the lack of a cursor is;
    limit is for a page and not for the whole listing; a cursor of null is not undefined.`,
  "R13.2": `list answered less than load does: from an index without fields, or with numbers as text. Read
    each record by the same code as load, and add its id.`,
  "R13.3": `OFFSET was used, or a position in an array: it moves where records before it go. Go on after
    the last key seen: id > :cursor.`,
  "R13.4": `The order follows what commits change (last use, expiry, version), so that records move past
    the cursor. Order by the id, which never changes.`,
  "R13.5": `Principals were compared loosely: by a case-insensitive or padding collation, by LIKE or a
    pattern, after a trim or a normalisation, cut to a key's length. Compare bytes (VARBINARY, COLLATE
    "C"; utf8mb4_bin ignores spaces at the end), or a hash.`,
  "R13.6": `The filter came after the limit: a page of the whole table was read, and filtered. Put the
    principal into the query, or go on paging until the index ends.`,
  "R13.7": `The index on principals was not changed with the record. In the same transaction write the new
    entry, and remove the old one; where that is two steps, new entry first, and list checks each record's
    own principal.`,
  "R13.8": `list has to compare each record's stored expiry with the \`now\` that it is given (expires_at
    > :now), not with the backend's clock, nor with an expiry that was copied into the index and not moved
    by a touch.`,
  "R13.9": `An index still names what destroy removed. Remove the entry in destroy, or pass over entries
    whose record is not there any more.`,
  "R13.10": `Concurrent writers lost entries of one principal's index: it is one value that is read,
    changed and written back. Keep an entry of its own for each record (a row, a member of a set, a file),
    written before the record.`,

  R14: `Put the namespace into every key, table or folder exactly and with a separator, and compare ids
    and principals as bytes.`,
  "R14.1": `Two namespaces met. Check first that target.open(namespace) hands the name on to the driver.
    Then in the driver: a separator between prefix and id, names that are not shortened or cleaned of "_",
    and no Map shared by all.`,
  "R14.2": `The sweep went over what other namespaces hold: SCAN or LIKE with a prefix that begins another
    one ("_" stands for any character), or one index of expiries for all. Keep an index for each
    namespace, and escape patterns.`,
  "R14.3": `The listing, or its index on principals, is shared by several namespaces. Put the namespace
    into the index's key, and escape it where it is part of a pattern.`,
  "R14.4": `Ids were taken for numbers or cut: "…0e1" and "…10" are one number to a loose comparison or a
    numeric column. Keep ids as text or bytes of 32 characters, compared exactly.`,
  "R14.5": `The principal came back changed: trimmed, padded (CHAR), folded, normalised, cut at 255
    characters or fewer bytes. Use VARBINARY(255) or TEXT with a bytewise collation, and a connection in
    UTF-8.`,
  "R14.6": `A statement touched more than one record: a condition that lacks the id, or goes by principal
    or prefix. Every write names the one id.`,
};
