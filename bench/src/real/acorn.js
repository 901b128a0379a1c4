// acorn: parses /in/program.js, and counts the nodes by their types.
import { parse } from "./package.js";
import { print, readText, writeText } from "./host.js";

export const run = {
  run() {
    const source = readText("program.js");
    const counts = {};
    let depth = 0, positions = 0;
    const visit = (node, level) => {
      counts[node.type] = (counts[node.type] ?? 0) + 1;
      depth = Math.max(depth, level);
      positions = (positions * 31 + node.start + node.end) % 1000000007;
      for (const key in node) {
        const value = node[key];
        if (Array.isArray(value)) for (const item of value) item?.type && visit(item, level + 1);
        else if (value?.type) visit(value, level + 1);
      }
    };
    visit(parse(source, { ecmaVersion: 2022, sourceType: "module" }), 0);
    writeText("counts.json", JSON.stringify(counts, Object.keys(counts).sort(), 1));
    print(`${source.length} characters, depth ${depth}, positions ${positions}`);
  },
};
