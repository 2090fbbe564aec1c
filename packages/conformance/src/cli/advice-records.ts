/** Advice on create, load, destroy, sweep and the content of records: R1, R2, R7, R8 and R9. */
export const recordAdvice: Record<string, string> = {
  R1: `Create must test and write in one statement that says who won. Use INSERT … ON CONFLICT (id) DO UPDATE …
    WHERE expires_at <= :now and the count of rows in SQL, a script or SET NX in Redis, an upsert that a unique
    index refuses in a document store, or a file linked into place. With a SELECT before the INSERT, two callers
    win.`,
  "R1.1": `The new record is not what create was given. Check what the statement writes: version 1 (not 0), the
    expiry in milliseconds, the principal, and every field. Return true itself, not a count or a row.`,
  "R1.2": `Create overwrote a live record, or returned true for one. A plain upsert overwrites (INSERT OR
    REPLACE, ON DUPLICATE KEY UPDATE, SET, replaceOne with upsert). Let the update apply only to an expired
    record (… WHERE expires_at <= :now), and return false if it did not apply. A row that exists, or looks
    equal, is not a win.`,
  "R1.3": `Concurrent creates of one id did not have exactly one winner: each caller looked, saw nothing, and
    wrote. Let the backend decide, with a unique key (or NX, attribute_not_exists, the exclusive flag "wx").
    Write fields and principal in the same statement or transaction. Return true only if the insert took effect.
    A duplicate key error means false, and is no error.`,
  "R1.4": `Create judged the old record by another clock than the caller's. Compare with the \`now\` argument,
    as expires_at <= :now, and not with NOW(), TIME, Date.now() or the backend's own expiry (a TTL, a missing
    key). At expiresAt itself the record is expired: use <=, not <.`,
  "R1.5": `The new record holds something of the expired one that it replaced. The insert merged with it.
    Replace it whole: delete its field rows, DEL the hash before HSET, set a missing principal to NULL, and set
    the version to 1 instead of raising it.`,
  "R1.6": `Concurrent creates over an expired record had several winners. The driver deletes the expired record
    and then inserts, so a second caller deletes the first caller's new record. Replace it in one statement with
    the condition expires_at <= :now, or under a lock that every create takes.`,
  "R1.7": `After destroy, the id could not be created again, or the new record holds something of the old one.
    Usual causes: a tombstone that never ends, or field rows or an index entry that outlive the record. Remove
    all of them in the transaction of destroy.`,
  "R1.8": `Creates through several drivers had several winners. Something inside one driver object keeps creates
    apart (a mutex, a Map, a queue). Let the backend do it: a unique key, a conditional write, or a lock in the
    database or the file system.`,
  "R1.9": `The listing of the old principal still names the id after a create over the expired record. Remove
    the index entry when you replace the record, or let list read each record and skip those with another
    principal.`,

  R2: `Load must return what is stored now: read from the primary, with numbers as numbers and a new Map, or
    undefined if there is no record. Load does not judge whether a record has expired.`,
  "R2.1": `expiresAt or version came back as text, or lost precision. BIGINT is text in pg and can be text in
    mysql2, every hash value in Redis is text, DATETIME and TTL have whole seconds, and a 32-bit column
    overflows. Store epoch milliseconds in a 64-bit integer, and wrap what you read in Number().`,
  "R2.2": `Load of an unknown id must return undefined, not null and not an empty record. HGETALL of a missing
    key returns an empty hash, so test for the version field.`,
  "R2.3": `A record without a principal came back with one. The missing principal was stored as "", "null" or
    "undefined", or comes back as null. Store NULL or leave the attribute out, and leave the property out of the
    record that load returns.`,
  "R2.4": `Load returned an older state than the last acknowledged commit. Usual causes: a replica or an
    eventually consistent read, a cached record, or a commit that returned before its write was done. Read from
    the primary (ConsistentRead, read preference primary), and await the write.`,
  "R2.5": `A caller changed the Map that load returned, and the stored record changed with it. Return a copy:
    new Map(fields).`,
  "R2.6": `A caller changed its own Map after the call, and the stored record changed with it, or the driver
    changed the caller's Map. Copy it before the first await, new Map(change.fields), and never write to it.`,
  "R2.7": `Load hid a record that is live by the caller's clock, because it has expired by the backend's clock.
    Do not filter by the backend's clock in load, and set a TTL an hour or more after expiresAt.`,
  "R2.10": `A load that began after a commit was acknowledged returned the record as it was before. The driver lets
    loads share one read that is under way (a data loader, a cache of promises), and that read began before the
    commit. Let each load ask the backend, or share only reads that have not been sent yet.`,
  "R2.9": `A load returned data that had been replaced before the load began, or parts of two moments. Usual
    causes: a cache, a replica, or fields and version read by two statements. Read the record in one statement
    from the primary.`,

  R7: `Destroy must delete under a condition, and return true only if that delete removed a live record: DELETE
    … WHERE id = :id AND expires_at > :now, and then affected rows = 1. With a SELECT before the DELETE, two
    callers return true.`,
  "R7.1": `Destroy of a live record must return true once, and false from then on. Take the result from the
    delete itself: affectedRows === 1, deletedCount === 1, DEL's count, or the old item. If the driver only
    marks records as ended, the second call must see the mark.`,
  "R7.2": `Destroy of an unknown id returned true. DELETE, unlink with force and DeleteItem all succeed if there
    is nothing to delete. Take the result from the count of rows, or from what was removed.`,
  "R7.3": `Destroy judged the record by another clock than the caller's. Put expires_at > :now, with the \`now\`
    argument, into the delete itself. Do not use the backend's clock or a TTL. At expiresAt itself the record is
    expired.`,
  "R7.4": `Destroy returned true for an expired record. It still exists in the backend, but counts as absent:
    the delete needs the condition expires_at > :now. If a commit ended the record, check that the commit moved
    the stored expiry.`,
  "R7.5": `Several concurrent destroys returned true: each one looked first, and then all deleted. Let the count
    of the delete itself decide. With files, exactly one rename or unlink succeeds; treat ENOENT as false.`,
  "R7.6": `Destroys through several drivers returned true more than once. Something inside one driver object
    keeps them apart. Take the result from what the backend says this delete removed.`,
  "R7.7": `Load still found a destroyed record. Usual causes: a mark that load does not read, a cached record,
    field rows without their record, or a replica. Remove or hide the record before destroy returns.`,
  "R7.10": `A destroy that raced with commits left the record in place, or did not return true. Usual causes:
    the delete names a version that a commit raised meanwhile, or the backend skips a record that is being
    updated (DocumentDB's deleteOne). Put no version into the delete, and repeat it until the record is removed
    or absent.`,
  "R7.11": `Of several destroys that raced with commits, two returned true, or one returned before the record
    was gone. A destroy that meets another must wait for it. Take each result from what the backend says this
    delete removed.`,
  "R7.12": `Destroys and commits through several drivers disturbed each other. Something inside one driver
    object makes a destroy final (a lock, a queue), and other drivers do not see it. Let the backend's own
    delete decide.`,

  R8: `A sweep must test the range in the statement that deletes: id IN (…) AND expires_at >= :after AND
    expires_at < :before. You may select the ids first, but test the condition again when you delete each
    record.`,
  "R8.1": `A sweep removed a record outside its range. Compare after <= expiresAt < before, in milliseconds.
    BETWEEN includes both ends, whole seconds round across them, and ZRANGEBYSCORE needs "(" before the upper
    end.`,
  "R8.2": `A sweep removed more than limit records. The driver ignored limit, or applied it to each batch or
    shard. Subtract each batch from what is left of limit, and stop at zero.`,
  "R8.3": `A sweep removed or changed a live record. A commit had moved its expiry, but the index that sweep
    reads was not moved (a sorted set, a file's name or time, a bucket by day). Move the index entry with every
    touch, or read the record's own expiry before you delete.`,
  "R8.4": `The count that sweep returned is not the number of records that it removed. Return a number, and
    count what was deleted (affected rows, deletedCount), not what was found: another process may remove records
    in between.`,
  "R8.5": `A sweep removed a record whose expiry a commit had just moved. Between finding and deleting it, the
    driver did not look again. Repeat the condition in the delete (… AND expires_at < :before; a script that
    looks again; or under the file's lock).`,
  "R8.6": `A sweep removed a new record that create had put in the place of the expired one. Delete by id and
    expiry together, never by the id alone.`,
  "R8.9": `Sweeps removed some of the expired records in their range, and then found no more. The index that sweep
    reads lacks the others: keep it with each create, touch and destroy, or go on behind the last record until
    the range ends. Return 0 only where nothing is left.`,

  R9: `The text or the name that came back is not the one that was stored. Check the charset and the collation,
    whatever escapes or trims text, and the limits of columns, statements and packets.`,
  "R9.1": `A text came back changed. Usual causes: JSON.parse of a text that looks like a number, a trim, an
    empty text taken for a missing one (use ?? instead of ||), escapes made by hand, or the server's backslash
    mode. Pass texts unchanged as bound parameters of a binary-safe type.`,
  "R9.2": `A character came back changed or was lost, because the encoding is not full UTF-8. Usual causes: utf8
    instead of utf8mb4, a latin1 connection or file, a file system or collation that normalises, or text cut
    inside a surrogate pair. Set the charset of the connection as well.`,
  "R9.3": `Two field names became one, or a name had a special meaning. Usual causes: a collation or file system
    that ignores case; a JSON path or update operator that reads "-", digits, "/" or "__proto__"; assignment to
    a plain object; or names that the driver reserves. Quote or prefix names, compare them as bytes, and collect
    them in a Map.`,
  "R9.4": `A long field name was cut, so that two names became one. Usual causes: a VARCHAR(255) key, a prefix
    index, or a file name of at most 255 bytes. Allow 2,048 bytes, or use a hash as the key and store the name
    beside it.`,
  "R9.5": `A long text came back shorter or was refused. Usual causes: a TEXT column of 64 KiB (use LONGTEXT),
    the maximum size of a packet, or a buffer. If the backend cannot hold 1 MiB, say so with maxRecordBytes.`,
  "R9.6": `A record with many fields failed or lost fields at a limit of the statement: 65,535 parameters, 4 KB
    of expression, 16 MB of packet, or 8,000 arguments of unpack in Lua. Send the fields as one JSON parameter,
    or in batches inside one transaction or script. If the backend takes a hundred fields or more, but not all, say so
    with maxFieldsPerCommit in the driver and limits.fieldsPerCommit in the target, the same number in both.`,
  "R9.7": `A record without fields vanished, or the deletion of its last field was skipped. A Redis hash without
    fields does not exist, and an inner join with no field rows finds nothing. Store version and expiry as a
    part of the record that is always there, and do not treat a deletion as an empty change.`,
  "R9.8": `A text that is too large must be refused whole with SessionTooLargeError. Instead the backend's own
    error came through, or a part was stored. Map the backend's error (ER_NET_PACKET_TOO_LARGE,
    ER_DATA_TOO_LONG, the ValidationException for size, the BSON size), and write nothing before you know that
    all of it fits.`,
  "R9.9": `A random text or name came back changed; the message shows the shortest one that does. Usual causes:
    a charset, a collation, an escape, or the syntax of a query language. Create and commit often use different
    code: check which of the two changed it.`,
};
