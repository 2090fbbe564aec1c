/** Advice on commit: R3 to R6. */
export const commitAdvice: Record<string, string> = {
  R3: `A commit must merge its change into the stored record in one step. Send the change and let the backend
    merge it: jsonb concatenation or JSON_SET in one UPDATE, HSET and HDEL in one script, $set and $unset in one
    updateOne. Otherwise read, merge and write under a lock that every writer takes.`,
  "R3.1": `The record does not hold what a merge must leave: set the fields whose value is text, delete those
    whose value is null, and keep all others. Usual causes: null was stored as a value or as "null", the change
    replaced the whole record, or a deleted name cannot be set again.`,
  "R3.2": `The commit changed something that it did not name. Absent and undefined both mean "keep". Usual
    causes: a spread of the change over the record, or undefined bound as NULL. Test with !== undefined before
    you add a column to the statement.`,
  "R3.3": `A commit that names fields, expiry and principal together did not store all three. Usual cause: one
    of them has its own branch in the code. A principal of null clears it (undefined keeps it), in the column
    and in the index on principals, also if the commit has fields.`,
  "R3.4": `A concurrent commit was lost. The driver read the fields, merged them in JavaScript and wrote all of
    them back, so the later commit undid the earlier one. Merge inside the backend, or hold the record's lock
    from reading to writing (SELECT … FOR UPDATE, a lock file).`,
  "R3.5": `A commit of another driver on the same backend was lost. Something inside one driver object keeps
    commits apart (a mutex, a queue), and two processes do not share it. Merge in the backend's statement, or
    under the backend's lock.`,
  "R3.6": `A reader saw half of a commit. Write fields, expiry and principal in one statement, transaction or
    script (MULTI, not a pipeline). Let load read them in one statement as well, because two SELECTs see two
    moments.`,
  "R3.7": `A reader saw half of a large commit. Large commits are written in several batches that become visible
    one by one. Put all batches into one transaction or script, or write a new copy aside and switch to it with
    one rename or update.`,
  "R3.8": `Commits to the same fields left a mixture, or one of them failed. A mixture means that each field was
    written separately; an error means a deadlock or a serialisation failure. Write in one statement, lock the
    record's row first, and repeat after 40001, 40P01 or 1213.`,
  "R3.9": `A commit that changes nothing in a live record returned "gone". The driver counted changed rows
    instead of matched rows: MySQL counts changed rows unless FOUND_ROWS is set, and MongoDB's modifiedCount is
    not matchedCount. Ask whether a live record matched.`,
  "R3.10": `A large commit and small ones beside it did not all survive. The code for large commits reads first
    and writes later without the lock, or holds the lock until the small commits time out. Take the record's
    lock before you read, and let other commits wait for it.`,
  "R3.13": `A commit was merged into a record that was created again under the same id. Both records begin with
    version 1, so a comparison of versions cannot tell them apart. Merge in the backend's own statement, hold
    the lock from reading to writing, or give each record a random mark that the write compares.`,
  "R3.17": `A touch that ran beside commits was lost, or was rejected. Usual causes: the driver reads the version and
    skips the touch if it has changed meanwhile, writes back the expiry that it had read with a commit of fields, or
    an optimistic transaction that lost is not tried again. Set the expiry in the statement itself.`,

  R4: `A commit must write only if the record is live. Put that into the condition of the write itself: UPDATE …
    WHERE id = :id AND expires_at > :now. Return "gone" if no row matched. Do not use an upsert, and do not look
    beforehand.`,
  "R4.1": `A commit to an unknown id created a record. Usual causes: an upsert, HSET or SADD on a missing key,
    or a file opened for writing. Use an update that needs an existing record (UPDATE, updateOne without upsert,
    EXISTS inside the script, attribute_exists).`,
  "R4.2": `A commit brought a destroyed record back. The driver wrote without asking whether the record exists,
    or a Map or cache in the driver still had it. Update only a record that the backend itself still has.`,
  "R4.3": `A commit changed an expired record; a touch must not revive it. The condition lacks expires_at >
    :now, or compares the new expiry instead of the stored one. If the result is "gone", write nothing at all.`,
  "R4.4": `The driver judged the expiry by another clock than the caller's. Compare with the \`now\` argument
    inside the statement, not with NOW(), Date.now(), a TTL or the absence of a key. At expiresAt itself the
    record is expired: use expires_at > :now, not >=. Set a TTL an hour after the expiry.`,
  "R4.5": `A commit to a missing or expired record returned "conflict" instead of "gone". The driver compared
    the version first. First ask whether a live record has the id; if not, return "gone" whatever ifVersion
    says. Return "conflict" only if a live record has another version.`,
  "R4.6": `A commit that moves the expiry to now or earlier must end the record and return "committed". Usual
    causes: the driver ignored or refused a past expiry, or passed it to the backend as a TTL, which removed the
    record before the write. Store it like any other expiry.`,
  "R4.7": `A commit that raced with destroy brought the record back: it read the record, destroy removed it, and
    the commit wrote it again. Let the write itself require a live record. Index entries or field rows written
    afterwards can bring it back too.`,
  "R4.8": `A commit that raced with destroy returned "conflict" instead of "gone". The write matched nothing,
    and before a second query could tell "gone" from "conflict", the record went. Decide under one lock or in
    one statement (a script; WITH … FOR UPDATE), or query again until both agree.`,
  "R4.9": `A commit moved the expiry of a record that another commit had just ended. The driver read an expiry,
    and wrote it back later. Write only what the change names, with the condition expires_at > :now, which an
    ended record no longer meets.`,
  "R4.10": `A commit removed an expired record. Callers whose clock is behind still use it as live. Leave the
    removal to sweep and to create.`,

  R5: `Compare the version and write in one step: UPDATE … WHERE id = :id AND expires_at > :now AND version =
    :ifVersion, a script, or a condition on the item. If no row matched, a live record under the id means
    "conflict", and no live record means "gone".`,
  "R5.1": `A commit with another version wrote something. Usual causes: the expiry or the index on principals
    has its own statement without the condition, or only lower versions are refused. Compare with =, and let
    every part of the write depend on that one condition.`,
  "R5.2": `The version that load returned was refused, or was accepted twice. Usual causes: text compared with a
    number, a cached version, or a version that is raised after the commit returned. Compare numbers, and raise
    the version in the statement that writes.`,
  "R5.3": `Concurrent commits with one ifVersion did not have exactly one winner. Read, compare and write are
    three steps, so several callers saw the same version. Put version = :ifVersion into the write, and return
    "committed" only if it matched. If nobody won, look for a client that repeats writes: it conflicts with
    itself.`,
  "R5.4": `Several drivers won with the same ifVersion. The comparison is exact only inside one driver object (a
    mutex, a queue, a cached version). Let the backend compare.`,
  "R5.5": `A compare-and-set overwrote a commit that came between. The version is raised only by commits with
    ifVersion. Raise it for every commit that has fields or a principal.`,
  "R5.6": `An update was lost, or a commit without a rival returned "conflict". Return "conflict" only if the
    version differs. After a deadlock or a busy error, repeat the write inside the driver.`,

  R6: `The version must count the commits that have fields, a principal or ifVersion, and no others. Use version
    = version + 1 in the statement that writes, once for each such commit.`,
  "R6.1": `A commit with fields did not raise the version by exactly 1. Usual causes: it was raised once for
    each field, not raised for deletions, or raised again for the expiry. Raise it once, in the statement that
    merges.`,
  "R6.2": `A commit with a principal did not raise the version by exactly 1. A principal of null counts too, but
    a test for truth misses it. Test principal !== undefined.`,
  "R6.3": `A commit with ifVersion and no fields did not raise the version by exactly 1. The driver treated it
    as a touch. Test for ifVersion before you take the shorter path.`,
  "R6.4": `A touch or an empty change raised the version. Raise it by (fields.size > 0 or principal or ifVersion
    is named) ? 1 : 0. A property that is undefined is not named.`,
  "R6.5": `A commit that writes the stored values again did not raise the version by exactly 1. The driver, or a
    trigger, raised it only if something changed. Every named field counts, equal or not; so does the deletion
    of a missing field.`,
  "R6.6": `A commit with fields, principal and ifVersion raised the version by more than 1, because each of them
    raised it. Decide once whether the commit counts, and raise by 1.`,
  "R6.7": `The version does not match the number of commits. Usual causes: the driver read the version and wrote
    it back as a number, so concurrent commits wrote the same one; touches counted; or a repeated commit counted
    twice. Let the backend add: version + 1, HINCRBY, $inc.`,
};
