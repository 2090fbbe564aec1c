// `pnpm test:quick`: fewer cases of each property, and none that goes on for long. How many a property asks for itself
// is cut short by the time; what was seen by then must hold.
import fc from "fast-check";

fc.configureGlobal({ numRuns: 20, interruptAfterTimeLimit: 500 });
