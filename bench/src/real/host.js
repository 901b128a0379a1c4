// What the programs in JavaScript use of the host: /in, /out and lines on stdout, by WASI itself.
import { getStdout } from "wasi:cli/stdout@0.2.0";
import { getDirectories } from "wasi:filesystem/preopens@0.2.0";

const directory = (wanted) => getDirectories().find(([, name]) => name === wanted)[0];

export function readText(name) {
  const file = directory("/in").openAt({}, name, {}, { read: true });
  const size = Number(file.stat().size), all = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const [bytes] = file.read(65536n, BigInt(at));
    all.set(bytes, at);
    at += bytes.length;
  }
  return new TextDecoder().decode(all);
}

export function writeText(name, text) {
  const file = directory("/out").openAt({}, name, { create: true, truncate: true }, { write: true });
  const all = new TextEncoder().encode(text);
  for (let at = 0; at < all.length; ) at += Number(file.write(all.subarray(at, at + 4096), BigInt(at)));
}

export function print(text) {
  getStdout().blockingWriteAndFlush(new TextEncoder().encode(text + "\n"));
}
