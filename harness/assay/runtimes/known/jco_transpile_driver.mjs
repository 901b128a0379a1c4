// Transpiles many components with one jco, because most of the time of a `jco transpile` is jco's own start.
//
// In: argv[2] is the folder of jco, argv[3] the URL of `keep` for what `jco run` would transpile; each line of stdin is
// [component, options of jco's transpileCmd, whether they are those of `jco run`]. Out: a line for each: `done`, or
// `refused`. A trap in jco's own WebAssembly ends the process, because jco cannot go on after one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [, , jco, kept] = process.argv;
const { transpile: older, transpileCmd = older } = await import(pathToFileURL(`${jco}/cmd/transpile.js`));
const { keep } = kept ? await import(kept) : {};

async function transpile(component, options, runs) {
  if (!runs) return transpileCmd(component, options);
  const outDir = await mkdtemp(`${tmpdir()}/assay-`);
  try {
    await keep(transpileCmd, component, { ...options, outDir });
  } finally {
    await rm(outDir, { recursive: true });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    await transpile(...JSON.parse(line));
    console.log('done');
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) process.exit(1);
    console.log('refused');
  }
}
