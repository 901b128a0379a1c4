// drives V8: `node node.mjs MODULE N…` prints result and CPU seconds (of all threads) a line.
import { readFileSync } from 'node:fs';
const [, , path, ...counts] = process.argv;
const { instance } = await WebAssembly.instantiate(readFileSync(path));
for (const n of counts) {
  const start = process.cpuUsage();
  const result = instance.exports.run(Number(n));
  const used = process.cpuUsage(start);
  console.log(result, ((used.user + used.system) / 1e6).toFixed(6));
}
