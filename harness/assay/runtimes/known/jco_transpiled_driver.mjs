// Runs one transpiled component on node, deno or bun with jco's shim. In: a JSON object in argv. Out: an
// outcome file. With a port, it serves wasi:http/incoming-handler there, with an instance for each request.
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import process from "node:process";
import { isatty } from "node:tty";
import { ending, importsOf, run } from "./jco_component.mjs";
import { teller } from "./outcome.mjs";

const job = JSON.parse(process.argv[2]);
const spare = openSync("/dev/null"); // a guest that opens as many files as it can leaves none for the outcome
const main = `${job.module}/m.js`;
// Only those modules of the shim that the component imports: each takes some milliseconds.
const named = new Set(Array.from(readFileSync(main, "utf8").matchAll(/\bwasi:([a-z]+)\//g), (found) => found[1]));
if (job.port) named.add("http");
const shim = {};
for (const name of ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"]) {
  if (named.has(name)) shim[name] = await import(pathToFileURL(`${job.shim}/${name}.js`));
}
if (shim.cli) {
  shim.cli._setEnv(job.env);
  shim.cli._setArgs(job.args);
  shim.cli._setCwd(undefined);
  ["Stdin", "Stdout", "Stderr"].forEach((name, fd) => isatty(fd) || shim.cli[`_setTerminal${name}`](undefined));
}
shim.filesystem?._setPreopens(job.dirs);
for (const name of job.deny) (shim.sockets?.[name] ?? shim.http?.[name])?.();

const module = await import(pathToFileURL(main));
const cores = new Map();
function core(name) {
  if (!cores.has(name)) cores.set(name, new WebAssembly.Module(readFileSync(`${job.module}/${name}`)));
  return cores.get(name);
}

/** Answers a request whose handler trapped with 500, where no response was sent. */
function refuse(out) {
  const { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } = shim.http.types;
  try {
    const response = new OutgoingResponse(new Fields());
    response.setStatusCode(500);
    const body = response.body();
    ResponseOutparam.set(out, { tag: "ok", val: response });
    OutgoingBody.finish(body);
  } catch (error) {
    console.error(error);
  }
}

if (job.port) {
  const handle = (request, out) => {
    try {
      module.instantiate(core, importsOf(shim)).incomingHandler.handle(request, out);
    } catch (error) {
      console.error(error);
      refuse(out);
    }
  };
  new shim.http.HTTPServer({ handle }).listen(job.port, "127.0.0.1");
  console.error(`Listening on 127.0.0.1:${job.port}`);
} else {
  // the shim ends the process where the guest exits
  const tell = teller((content) => {
    closeSync(spare);
    writeFileSync(job.outcome, content);
  });
  process.on("uncaughtException", (error) => end(ending(error)));
  const end = (outcome) => {
    tell(outcome);
    if (outcome.message) console.error(outcome.message);
    process.exit(outcome.status ?? 1);
  };
  const outcome = await run(module, shim, core);
  setTimeout(() => end(outcome)); // what the guest wrote goes out first
}
