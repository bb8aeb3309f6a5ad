// Runs an edge function as CloudFront's runtime 2.0 would: alone in a world of its own, with what that runtime has and
// nothing more. The first line on stdin is {code}, as JSON; each one after it {request, now}, where `now` is the time in
// milliseconds, or null for the clock's. For each of these comes a line: {request, origin}, {response} or {error}.
//
// It stands in for the runtime's outside (events, the module "cloudfront"); the engine is Node's, not CloudFront's. It
// ends when stdin does, and so with whoever started it.

const crypto = require("node:crypto");
const readline = require("node:readline");
const vm = require("node:vm");

const ORIGIN = new Set([
  "domainName", "hostHeader", "originPath", "customHeaders", "connectionAttempts", "originShield",
  "originAccessControlConfig", "timeouts", "customOriginConfig",
]);
// Those that CloudFront lets no function of a viewer's request write.
const UNWRITABLE = /^(connection|expect|host|keep-alive|trailer|transfer-encoding|upgrade|via|x-amz-cf-.*|x-edge-.*)$/;

let origin = null;
const modules = {
  cloudfront: {
    updateRequestOrigin(changes) {
      for (const name of Object.keys(changes)) {
        if (!ORIGIN.has(name)) throw new Error(`no origin has a ${name}`);
      }
      origin = { ...changes };
    },
  },
  crypto: { createHash: crypto.createHash, createHmac: crypto.createHmac },
};
const world = vm.createContext({
  Buffer,
  console,
  require(name) {
    if (!modules[name] || name === "cloudfront") throw new Error(`there is no module ${name}`);
    return modules[name];
  },
  cloudfront: modules.cloudfront,
});
let now = null;
vm.runInContext("(clock) => { Date.now = clock; }", world)(() => now ?? Date.now());

function load(code) {
  const script = code.replace(/^import (\w+) from ["']cloudfront["'];$/m, "const $1 = cloudfront;");
  vm.runInContext(`"use strict"; ${script}\nthis.handler = handler;`, world, { filename: "function.js" });
}

function outcome(request) {
  origin = null;
  const event = { version: "1.0", context: { eventType: "viewer-request" }, viewer: { ip: "192.0.2.1" }, request };
  const before = structuredClone(request);
  const answer = world.handler(event);
  const written = Object.keys(answer.headers).filter((name) => {
    if (name !== name.toLowerCase()) throw new Error(`${name} is not in small letters`);
    return JSON.stringify(answer.headers[name]) !== JSON.stringify((before.headers || {})[name]);
  });
  const wrong = written.find((name) => UNWRITABLE.test(name));
  if (wrong) throw new Error(`no function may write ${wrong}`);
  if ("statusCode" in answer) return { response: answer, origin };
  if (answer.method !== before.method) throw new Error("no function may change the method");
  if (!answer.uri.startsWith("/")) throw new Error(`${answer.uri} is no path`);
  return { request: answer, origin };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  if (asked.code !== undefined) {
    load(asked.code);
    return;
  }
  now = asked.now;
  let said;
  try {
    said = outcome(asked.request);
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
});
