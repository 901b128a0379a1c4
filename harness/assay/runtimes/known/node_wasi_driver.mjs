// Runs one core module of preview 1 by `node:wasi`. In: a JSON object in argv. Out: an outcome file.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { WASI } from "node:wasi";
import { teller, text } from "./outcome.mjs";

const job = JSON.parse(process.argv[2]);

function run() {
  let module;
  try {
    module = new WebAssembly.Module(readFileSync(job.module));
  } catch (error) {
    return { outcome: "rejected", message: text(error) };
  }
  const wasi = new WASI({ version: "preview1", args: job.args, env: job.env, preopens: job.dirs, returnOnExit: true });
  // bun has only the older name
  const imports = wasi.getImportObject?.() ?? { wasi_snapshot_preview1: wasi.wasiImport };
  const missing = WebAssembly.Module.imports(module)
    .filter(({ module, name }) => imports[module]?.[name] === undefined)
    .map(({ module, name }) => ({ name: module, function: name }));
  if (missing.length) return { outcome: "link-error", imports: missing };
  try {
    const instance = new WebAssembly.Instance(module, imports);
    if (!instance.exports._start) return { outcome: "link-error", message: "exports no _start" };
    return { outcome: "exited", status: wasi.start(instance) ?? 0 };
  } catch (error) {
    const link = error instanceof WebAssembly.LinkError;
    return { outcome: link ? "link-error" : "trap", message: text(error) };
  }
}

// bun ends the process where the guest exits
const tell = teller((content) => writeFileSync(job.outcome, content));
const outcome = run();
tell(outcome);
if (outcome.outcome !== "exited") console.error(outcome.message ?? outcome.outcome);
process.exitCode = outcome.status ?? 1;
