// `pnpm test:quick`: fewer cases of each property that does not ask for a number of its own. No limit of time: on a busy
// machine one would fail a property whose first case has not come to its end.
import fc from "fast-check";

fc.configureGlobal({ numRuns: 10 });
