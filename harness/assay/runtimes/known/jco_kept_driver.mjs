// Lets `jco run` and `jco serve` keep what they transpile. `javascript/lazily.py` makes a copy of jco that calls `kept`.
//
// In: a component, and the options that jco transpiles it with; the folder is the query of this module's URL. Out: the
// files that jco would write, from the folder where it has written them before. All else is jco's own: its process, its
// checks, and the process that runs the guest.
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = decodeURIComponent(new URL(import.meta.url).search.slice(1));

/** Returns jco's function that transpiles, which `load` returns, as one that keeps. */
export const kept = (load) => (component, options, ...more) =>
  keep(async (...given) => (await load())(...given), component, options, more);

// Two processes may keep the same files at once: the first to rename them wins.
export async function keep(real, component, options, more = []) {
  const { outDir, ...others } = options;
  const digest = createHash('sha256').update(await readFile(component)).update(JSON.stringify(others));
  const place = join(FOLDER, digest.digest('hex'));
  try {
    return await cp(place, outDir, { recursive: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  await real(component, options, ...more);
  const fresh = `${place}.${randomUUID()}`;
  await mkdir(FOLDER, { recursive: true });
  await cp(outDir, fresh, { recursive: true });
  await rename(fresh, place).catch(() => rm(fresh, { recursive: true }));
}
