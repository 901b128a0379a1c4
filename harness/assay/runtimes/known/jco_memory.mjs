// Runs a transpiled component with the preview2-shim for browsers, whose files and streams are in memory.
// In: what to run, with stdin and the files as base64. Out: how it ended, what it wrote, the directories.
import { ending, importsOf, run } from "./jco_component.mjs";

export async function runInMemory(job, load) {
  const output = [];
  const stream = (fd) => ({ write: (bytes) => void output.push([fd, bytes.toBase64()]) });
  let roots = {};
  let outcome;
  try {
    const { module, shim, core } = await load();
    shim.cli._setEnv(job.env);
    shim.cli._setArgs(job.args);
    shim.cli._setStdin(reader(Uint8Array.fromBase64(job.stdin)));
    shim.cli._setStdout(stream(1));
    shim.cli._setStderr(stream(2));
    roots = each(job.trees, unpacked);
    shim.filesystem._setPreopens(roots);
    outcome = await run(module, shim, core);
  } catch (error) {
    outcome = ending(error);
  }
  return { outcome, output, trees: each(roots, packed) };
}

/** Answers a request for wasi:http/incoming-handler with an instance of its own. */
export async function answer(request, { module, shim, core }) {
  const instance = await module.instantiate(core, importsOf(shim));
  return shim.http.handleIncomingRequest(request, instance.incomingHandler.handle);
}

function reader(bytes) {
  let rest = bytes;
  return {
    blockingRead(length) {
      if (rest.length === 0) throw { tag: "closed" };
      const part = rest.slice(0, Number(length));
      rest = rest.slice(part.length);
      return part;
    },
  };
}

function each(entries, change) {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, change(entry)]));
}

function unpacked(entry) {
  if (entry.dir) return { dir: each(entry.dir, unpacked) };
  return entry.symlink === undefined ? { source: Uint8Array.fromBase64(entry.source) } : entry;
}

function packed(entry) {
  if (entry.dir) return { dir: each(entry.dir, packed) };
  return entry.symlink === undefined ? { source: entry.source.toBase64() } : { symlink: entry.symlink };
}
