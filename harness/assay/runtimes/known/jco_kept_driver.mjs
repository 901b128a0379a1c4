// Lets `jco run` and `jco serve` keep what they transpile: node --import 'jco_kept_driver.mjs?/FOLDER' jco.js run ...
//
// In: a component, and the options that jco transpiles it with. Out: the files that jco would write, from FOLDER where
// it has written them before. All else is jco's own: its process, its checks, and the process that runs the guest.
// What jco needs for its other commands, and to transpile, is loaded when it is called.
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import * as module from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const FOLDER = decodeURIComponent(new URL(import.meta.url).search.slice(1));
const KEPT = '?kept';
// In jco's main module: `import { opt } from "./cmd/opt.js";`. Each is the action of a command.
const COMMANDS = /^import \{ ([\w, ]+?),? \} from (["']\.\/cmd\/(?!run\.js)[^"']+["']);$/gm;

// In a node that is too old for it, jco transpiles each time.
if (isMainThread) module.register?.(import.meta.url);

// These two are node's hooks: for `run` and `serve`, jco's module that transpiles is replaced by one with `keep`. Up to
// jco 1.24 its function is `transpile`.
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const transpiles = found.url.endsWith('/cmd/transpile.js') && context.parentURL?.endsWith('/cmd/run.js');
  return transpiles ? { ...found, url: found.url + KEPT } : found;
}

export async function load(url, context, next) {
  if (!url.endsWith(KEPT)) {
    const found = await next(url, context);
    return url.endsWith('/jco.js') && found.source ? { ...found, source: lazily(String(found.source)) } : found;
  }
  const real = JSON.stringify(url.slice(0, -KEPT.length));
  const source = `import { keep } from ${JSON.stringify(import.meta.url)};
    const kept = (name) => (component, options, ...more) =>
      keep(async (...given) => (await import(${real}))[name](...given), component, options, more);
    export const transpileCmd = kept('transpileCmd'), transpile = kept('transpile');`;
  return { format: 'module', shortCircuit: true, source };
}

function lazily(source) {
  const action = (name, from) => `const ${name} = async (...given) => (await import(${from})).${name}(...given);`;
  return source.replace(COMMANDS, (_, names, from) => names.split(', ').map((name) => action(name, from)).join(' '));
}

// Two processes may keep the same files at once: the first to rename them wins.
export async function keep(real, component, options, more = []) {
  const { outDir, ...others } = options;
  const digest = createHash('sha256').update(await readFile(component)).update(JSON.stringify(others));
  const kept = join(FOLDER, digest.digest('hex'));
  try {
    return await cp(kept, outDir, { recursive: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  await real(component, options, ...more);
  const fresh = `${kept}.${randomUUID()}`;
  await mkdir(FOLDER, { recursive: true });
  await cp(outDir, fresh, { recursive: true });
  await rename(fresh, kept).catch(() => rm(fresh, { recursive: true }));
}
