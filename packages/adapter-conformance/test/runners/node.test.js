// node --test runs this, with the package as it is built.
import { test } from "node:test";
import { testAdapter } from "@sessions/adapter-conformance";
import { target } from "../cli/right.js";

testAdapter({ test, target });
