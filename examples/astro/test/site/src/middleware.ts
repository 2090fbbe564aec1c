export { onRequest } from "../../../src/middleware.ts";
