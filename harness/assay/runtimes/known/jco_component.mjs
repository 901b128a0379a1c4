// Runs the JavaScript that jco made of a component (`jco transpile --instantiation`), with a preview2-shim.
// In: the transpiled module and the modules of the shim. Out: how it ended, as an object for an outcome file.

import { text } from "./outcome.mjs";

/** What the component imports: `wasi:cli/terminal-stdin` is `terminalStdin` of the shim's module `cli`. */
export function importsOf(shim) {
  return new Proxy({}, {
    get(_, name) {
      const [, module, word] = /^wasi:([a-z]+)\/([a-z-]+)$/.exec(name) ?? [];
      const found = shim[module]?.[word.replace(/-(.)/g, (_, letter) => letter.toUpperCase())];
      if (!found) throw new MissingImport(name);
      return found;
    },
  });
}

/** Instantiates a command and calls `run`. `core` returns a core module by its name. */
export async function run(module, shim, core, instantiateCore) {
  let command;
  try {
    command = await module.instantiate(core, importsOf(shim), instantiateCore);
  } catch (error) {
    const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    return trap ? ending(error) : { outcome: "link-error", message: text(error), imports: error.imports };
  }
  if (!command.run?.run) return { outcome: "link-error", message: "exports no wasi:cli/run" };
  try {
    await command.run.run();
    return { outcome: "exited", status: 0 };
  } catch (error) {
    return ending(error);
  }
}

/** How a component ended that threw: it exited (the browser's shim throws), returned `err`, or trapped. */
export function ending(error) {
  if (error?.exitError) return { outcome: "exited", status: error.code };
  const err = error?.constructor?.name === "ComponentError" && error.payload === undefined;
  if (err) return { outcome: "exited", status: 1 };
  return { outcome: "trap", message: text(error) };
}

class MissingImport extends Error {
  constructor(name) {
    super(`the shim has no ${name}`);
    this.imports = [{ name }];
  }
}
