/** For commit: R3 to R6. */
export const commitAdvice: Record<string, string> = {
  R3: `Send the change to the backend as a merge and let it merge: jsonb concatenation or JSON_SET in one
    UPDATE, HSET and HDEL in one script, $set and $unset in one updateOne, or read, merge and write under
    a lock that every writer takes.`,
  "R3.1": `Set what is text, delete what is null, leave the rest. Usual slips: null stored as a value or
    as "null", the whole record replaced by the change, a deleted name that cannot be set again.`,
  "R3.2": `Absent and undefined both mean "keep": test with !== undefined before adding a column to the
    statement. A spread of the change over the record, or a parameter bound as NULL, clears what nobody
    named.`,
  "R3.3": `One of the three was forgotten where they come together. Null clears the principal (undefined
    keeps it), in the column and in the index on principals, also in a commit that has fields.`,
  "R3.4": `Fields were read, merged in JavaScript and written back whole, so that of two commits the later
    one undoes the earlier. Merge inside the backend, or hold the row's lock (SELECT … FOR UPDATE, a lock
    file) from reading to writing.`,
  "R3.5": `Commits are kept in turn by something inside one driver object. Two processes share only the
    backend: merge in its statement, or under its lock.`,
  "R3.6": `A reader came between two writes of one commit. Write fields, expiry and principal in one
    statement, transaction or script (MULTI, not a pipeline), and let load read them in one, too: two
    SELECTs see two moments.`,
  "R3.7": `Large commits go another way than small ones, in batches that a reader sees. Put all batches
    into one transaction or script, or write a new version aside and switch to it by one rename or
    update.`,
  "R3.8": `A mixture means that each field was written by itself; an error means that two commits met in a
    deadlock or a serialisation failure. Write in one statement, lock the record's row first, and repeat
    after 40001, 40P01 or 1213.`,
  "R3.9": `No changed row was taken for no row. MySQL counts changed rows unless FOUND_ROWS is set,
    modifiedCount is not matchedCount: ask whether a live record was matched.`,
  "R3.10": `The way for large commits reads first and writes later without the lock, and loses what small
    commits wrote meanwhile; or it holds that lock so long that the small ones give up. Take the row's
    lock before reading, and wait for it.`,
  "R3.13": `The record was destroyed and created anew between the reading and the writing of a commit, and
    the new one begins with version 1 as the old one did, so that a version alone does not tell them
    apart. Merge in the backend's own statement, hold the lock from reading to writing, or give each
    record a random mark that the write compares.`,

  R4: `Put "is live" into the condition of the write itself: UPDATE … WHERE id = :id AND expires_at >
    :now, and answer "gone" where no row matched. Never an upsert, never a look beforehand.`,
  "R4.1": `Commit made a record: an upsert, HSET or SADD on a missing key, a file opened for writing. Use
    an update that needs the record (UPDATE, updateOne without upsert, EXISTS inside the script,
    attribute_exists).`,
  "R4.2": `A record that had been destroyed was written again. Update only what is there; where a Map or
    cache still holds the record, look at the backend instead.`,
  "R4.3": `The condition lacks expires_at > :now, or compares with the new expiry instead of the stored
    one: a touch revived what had expired. Nothing at all may be written where the answer is "gone".`,
  "R4.4": `Judge by the \`now\` that was given, in the statement: not by NOW(), Date.now(), a TTL or a
    key's absence. expiresAt itself is expired, so it is expires_at > :now and not >=. A TTL belongs an
    hour behind the expiry.`,
  "R4.5": `The version was compared first. Ask for the record's life first: where no live record has the
    id the answer is "gone", whatever ifVersion says, and "conflict" only where a live one has another
    version.`,
  "R4.6": `A past expiry was ignored, refused, or given to the backend as a TTL (which removes the record
    before it was written). Store it as any other, and answer "committed": this is how a session is
    ended.`,
  "R4.7": `Commit read the record, it was destroyed, and commit wrote it back. The write itself must need
    a live record; an index entry or rows of fields written afterwards may bring it back as well.`,
  "R4.8": `After a write that matched nothing, a second look told gone from conflict, and between the two
    the record went. Decide under one lock or in one statement (a script; WITH … FOR UPDATE), or look
    again until both agree.`,
  "R4.9": `An expiry was read before and written back after the record had been ended. Write only what the
    change names, and with the condition expires_at > :now, which the ended record no longer meets.`,
  "R4.10": `A commit that found the record expired cleaned it up at once. Leave that to sweep and to
    create: other callers' clocks may be behind, and for them the record is live.`,

  R5: `Compare and write in one step: UPDATE … WHERE id = :id AND expires_at > :now AND version =
    :ifVersion, a script, a condition on the item. No row matched: tell "gone" from "conflict" by whether
    a live record is there.`,
  "R5.1": `Something was written though the version differed: often the expiry or the index on principals,
    which has a statement of its own, or only lower versions were refused. Compare by = and let everything
    hang on that one condition.`,
  "R5.2": `The version that load answers is not the one that commit compares: text against number, a
    cached one, or one that was raised after the answer. Compare numbers, and raise it in the statement
    that writes.`,
  "R5.3": `Read, compare and write were three steps, so that several callers saw the same version. Put
    version = :ifVersion into the write, and answer "committed" only where it matched; a client that
    repeats by itself conflicts with itself.`,
  "R5.4": `The comparison is exact inside one driver object only (a mutex, a queue, a cached version). Let
    the backend compare.`,
  "R5.5": `Only commits with ifVersion raise the version. Raise it for every commit that has fields or a
    principal, or a compare-and-set overwrites what came between.`,
  "R5.6": `An update was lost, or a commit that nobody disturbed was told "conflict". Answer "conflict"
    for another version and for nothing else: map deadlocks and busy errors to a repeat inside the
    driver.`,

  R6: `version = version + 1 in the statement that writes, once for each commit that has fields, a
    principal or ifVersion, and not otherwise.`,
  "R6.1": `The version was raised for each field, or not for deletions, or twice where the expiry is
    named, too. One commit, one step: raise it once, beside the merge.`,
  "R6.2": `Ask for principal !== undefined: null clears it, and counts. A test for truth lets null through
    unseen.`,
  "R6.3": `A commit with ifVersion and no fields took the way of a touch. ifVersion alone counts: ask for
    it before taking the short way.`,
  "R6.4": `Every commit raised the version. A touch and an empty change leave it: raise by (fields > 0 or
    principal or ifVersion named ? 1 : 0). Properties that are undefined are not named.`,
  "R6.5": `The driver, or the backend's trigger, raised the version only where something changed. What is
    named counts, whether it differs or not; a deletion of what is not there does, too.`,
  "R6.6": `Fields, principal and ifVersion each raised the version by themselves. Work out once whether
    the commit counts, and raise by 1.`,
  "R6.7": `The version was read and written back as a number, so that concurrent commits wrote the same
    one; or touches counted, or a repeated commit counted twice. Let the backend add: version + 1,
    HINCRBY, $inc.`,
};
