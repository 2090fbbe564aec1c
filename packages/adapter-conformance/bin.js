#!/usr/bin/env node
// In the repository itself, so that pnpm can link the command before anything was built.
import "./dist/cli.js";
