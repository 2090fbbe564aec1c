// Gives the drop-in to the suite of express-session, in place of the files beside it.
const Module = require("node:module");

const dropIn = require("../../dist/index.js");
const given = new Map([
  ["../", dropIn],
  ["../../", dropIn],
  ["../session/cookie", dropIn.Cookie],
]);
const load = Module._load;
Module._load = (request, ...rest) => given.get(request) ?? load.call(Module, request, ...rest);
