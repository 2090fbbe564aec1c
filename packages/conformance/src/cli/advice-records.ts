/** For create, load, destroy, sweep and what records hold: R1, R2, R7, R8, R9. */
export const recordAdvice: Record<string, string> = {
  R1: `Make and test in one statement that says who won: INSERT … ON CONFLICT (id) DO UPDATE … WHERE
    expires_at <= :now and the count of rows in SQL, a script or SET NX in Redis, an upsert that a unique
    index refuses in a document store, a file linked into place. A SELECT before an INSERT lets two
    callers win.`,
  "R1.1": `Look at what the statement writes: version 1 (not 0), the expiry in milliseconds, the
    principal, every field. Answer true itself and not a count or a row.`,
  "R1.2": `A plain upsert (INSERT OR REPLACE, ON DUPLICATE KEY UPDATE, SET, replaceOne with upsert)
    overwrites. Let the update side apply only to what has expired (… WHERE expires_at <= :now), answer
    false where it did not apply, and do not count a row as won because it was found, or because it looks
    equal.`,
  "R1.3": `Two callers looked, saw nothing, and both wrote. Let the backend decide: the insert itself with
    a unique key (or NX, attribute_not_exists, the exclusive flag "wx"), fields and principal in the same
    statement or transaction, and true only for the caller whose insert took effect. A duplicate key error
    is an answer, false, and not an error.`,
  "R1.4": `Compare with the \`now\` that was given, as expires_at <= :now, and neither with NOW(), TIME or
    Date.now(), nor with the backend's own expiry (a TTL, a key that is gone). At expiresAt itself the
    record has expired: <= and not <.`,
  "R1.5": `The insert met an expired record and merged with it. Replace it whole: delete its field rows,
    DEL the hash before HSET, set the principal to NULL where none is given, and set the version to 1
    instead of raising it.`,
  "R1.6": `Deleting the leftover and then inserting are two steps, between which a second caller deletes
    the first one's new record. Replace it in one statement whose condition is expires_at <= :now, or
    under a lock that every create takes.`,
  "R1.7": `Destroy left something behind, or create refuses an id that was used: a tombstone without an
    end, rows of fields or an index entry that outlive the record. Remove all of it in destroy's own
    transaction.`,
  "R1.8": `What keeps creates apart lives inside one driver object (a mutex, a Map, a queue). It has to be
    the backend: a unique key, a conditional write, a lock in the database or the file system.`,
  "R1.9": `The old principal's index still names the id. Remove the entry when the leftover is replaced,
    or let list read each record and pass over those whose principal is another.`,

  R2: `Answer what is stored, read from the primary, parsed into numbers and a fresh Map, and undefined
    where there is nothing. Whether a record has expired is not load's decision.`,
  "R2.1": `Numbers came back as text or lost precision: BIGINT is text in pg and may be in mysql2, every
    hash value is text in Redis, a DATETIME or a TTL has whole seconds, a 32-bit column overflows. Keep
    epoch milliseconds in a 64-bit integer, and wrap what is read in Number().`,
  "R2.2": `Answer undefined for no row: not null, not an empty record. An empty hash (HGETALL of an
    unknown key) is no record, so test for the version field.`,
  "R2.3": `A missing principal was stored as "", "null" or "undefined", or comes back as null. Store NULL
    or leave the attribute out, and leave the property out of what load answers.`,
  "R2.4": `load answered what was true before: it read a replica or with eventual consistency
    (ConsistentRead, read preference primary), took a cached record, or commit answered before its write
    was done. Await the write, and read from the primary.`,
  "R2.5": `load handed out the stored Map itself. Answer a copy: new Map(fields).`,
  "R2.6": `The driver kept the caller's Map, or read it only after a first await. Copy it before anything
    else: new Map(change.fields). Change nothing in it either.`,
  "R2.7": `The backend's expiry removes or hides records that callers with a clock behind still use.
    Filter nothing by the backend's clock in load, and let a TTL act an hour or more after expiresAt.`,
  "R2.9": `A load showed what had been replaced before it began, or parts of two moments: a cache, a
    replica, or fields and version read by two statements. Read the record in one statement from the
    primary.`,

  R7: `One conditional delete, and its count as the answer: DELETE … WHERE id = :id AND expires_at > :now,
    affected rows = 1. A SELECT before the DELETE lets two callers answer true.`,
  "R7.1": `Answer whether this call removed a live record: affectedRows === 1, deletedCount === 1, DEL's
    count, the old item. Where records are only marked as ended, the mark must make the second call answer
    false.`,
  "R7.2": `A delete that finds nothing is no success: DELETE, unlink with force and DeleteItem all succeed
    on what is not there. Answer by the count of rows, or by what was removed.`,
  "R7.3": `Put the condition expires_at > :now into the delete itself, with the \`now\` that was given.
    The backend's clock and a TTL are somebody else's time, and at expiresAt itself the record has
    expired.`,
  "R7.4": `An expired record counts as not there, though it still lies there: the delete needs expires_at
    > :now. A commit that ends a record must have moved its stored expiry, too.`,
  "R7.5": `Each caller looked first, and then all deleted. Let the delete's own count say who removed it;
    with files, let one rename or unlink succeed and take ENOENT for false.`,
  "R7.6": `What keeps destroys apart lives inside one driver object. Answer by what the backend says that
    this delete removed.`,
  "R7.10": `destroy found the record written since it looked, and gave up, or answered true for what it
    had not removed. Put no version into the delete, and do not trust a backend that skips a record which is
    updated at that moment (DocumentDB's deleteOne): look again, until it is removed or not there.`,
  "R7.11": `A destroy answered before the record was gone, or two answered true. One that finds another at
    work waits for it, and each answers by what the backend says that it removed itself.`,
  "R7.12": `What makes destroys final lives inside one driver object: a lock, a queue. Let the backend's own
    delete decide, whichever driver writes meanwhile.`,
  "R7.7": `load still finds something: a mark that it does not read, a cached record, rows of fields
    without the record, a replica. Remove or hide the record in the same step in which destroy answers.`,

  R8: `DELETE with the range in the statement that deletes: id IN (…) AND expires_at >= :after AND
    expires_at < :before. The ids may be selected before; the condition has to be looked at again when
    each is removed.`,
  "R8.1": `Compare as after <= expiresAt < before, in milliseconds: BETWEEN includes both ends, whole
    seconds round across them, and ZRANGEBYSCORE needs "(" before the upper end.`,
  "R8.2": `limit was ignored, or applied to each batch or shard. Subtract what was removed from what is
    left to remove, and stop at zero.`,
  "R8.3": `A live record was removed, or changed. Its expiry had been moved: the index that the sweep goes
    by (a sorted set, a file's name or time, a bucket by day) has to be moved with every touch, or the
    record's own expiry looked at again.`,
  "R8.4": `Count what was deleted (affected rows, deletedCount), not what was found, and as a number. What
    another process removed in between does not count.`,
  "R8.5": `Between finding and deleting, a commit moved the expiry, and its record was deleted. Repeat the
    condition in the delete (… AND expires_at < :before; a script that looks again; under the file's
    lock).`,
  "R8.6": `Between finding a leftover and deleting it, a create made a new record under that id. Delete by
    id and expiry together, never by id alone.`,

  R9: `What was stored is not what was given. Look at charset and collation, at what escapes or trims, and
    at the limits of columns, statements and packets.`,
  "R9.1": `Pass texts as bound parameters of a binary-safe type, untouched: no JSON.parse of what looks
    like a number, no trim, no empty text taken for nothing (use ?? and not ||), no escaping by hand, no
    backslash mode of the server.`,
  "R9.2": `The encoding is not whole UTF-8: utf8 instead of utf8mb4, a latin1 connection, a latin1 file, a
    normalising file system or collation, text cut between surrogates. Set the charset of the connection
    too.`,
  "R9.3": `Names met each other, or a language: a case-insensitive collation or file system, a JSON path
    or update operator that reads "-", digits, "/" or "__proto__", a plain object by assignment, names that
    the driver has taken for itself. Quote or prefix names, compare them as bytes, collect them in a Map.`,
  "R9.4": `A name was cut: a VARCHAR(255) key, a prefix index, a file name of at most 255 bytes. Allow
    2,048 bytes, or key by a hash and keep the name beside it.`,
  "R9.5": `A limit was reached in silence: a TEXT column of 64 KiB (use LONGTEXT), a max packet, a buffer.
    Where the backend really holds less than 1 MiB, say so by maxRecordBytes.`,
  "R9.6": `Many fields ran into the size of a statement: 65,535 parameters, 4 KB of expression, 16 MB of
    packet, unpack of 8,000 arguments in Lua. Send them as one JSON parameter, or in chunks inside one
    transaction or script.`,
  "R9.7": `A record without fields vanished (a Redis hash without fields is no key, an inner join with the
    rows of fields finds nothing), or the deletion of its last field was passed over as an empty change.
    Keep version and expiry as a part of the record that is always there.`,
  "R9.8": `The backend's own error came through, or part of the text was stored. Map "too large" to
    SessionTooLargeError (ER_NET_PACKET_TOO_LARGE, ER_DATA_TOO_LONG, ValidationException for size, BSON
    size), and write nothing before it is known.`,
  "R9.9": `The message names the text or name that came back changed, cut down to the least that shows it.
    Such characters are lost by a charset, a collation, an escape or a query language on the way; create
    and commit often take different ways, so look which of them it was.`,
};
