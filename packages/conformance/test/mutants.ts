// The target on which `pnpm mutate memory` runs the kit against a driver with one fault.
import type { Target } from "../src/index.ts";
import { memoryTarget } from "./targets.ts";

export const targets = (): { target: Target }[] => [{ target: memoryTarget() }];
