// The target on which `pnpm mutate memory` runs the kit against a driver with one fault.
import { memoryTarget } from "./targets.ts";

export const targets = () => [{ target: memoryTarget() }];
