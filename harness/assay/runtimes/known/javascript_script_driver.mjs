// Runs a converted .wast script by the WebAssembly of a JavaScript engine: node, deno or bun.
//
// Usage: ENGINE javascript_script_driver.mjs SCRIPT.json RESULTS
// In: what `wasm-tools json-from-wast` writes. Out: one line for each command: {"index", "status", "message"}.
// Source: WebAssembly JavaScript Interface. What it cannot express (vectors, bits of a NaN, exception references,
// components) is `unsupported`.
import fs from "node:fs";
import path from "node:path";

const [script, results] = process.argv.slice(-2);
const folder = path.dirname(script);
class Unsupported extends Error {}
class Skipped extends Error {}
class Wrong extends Error {}

const page = (initial, maximum) => new WebAssembly.Memory({initial, maximum});
const global = (value, type) => new WebAssembly.Global({value: type}, value);
const quiet = () => {};
const registry = {
  spectest: {
    print: quiet, print_i32: quiet, print_i64: quiet, print_f32: quiet, print_f64: quiet, print_i32_f32: quiet, print_f64_f64: quiet,
    global_i32: global(666, "i32"), global_i64: global(666n, "i64"), global_f32: global(Math.fround(666.6), "f32"),
    global_f64: global(666.6, "f64"), memory: page(1, 2),
    table: new WebAssembly.Table({initial: 10, maximum: 20, element: "anyfunc"}),
  },
};
const instances = {}, definitions = {};
let current = null, defined = null, component = false;

const bits = new DataView(new ArrayBuffer(8));
function float(type, text) {
  if (type === "f32") bits.setUint32(0, Number(text));
  else bits.setBigUint64(0, BigInt(text));
  return type === "f32" ? bits.getFloat32(0) : bits.getFloat64(0);
}

function argument({type, value}) {
  if (type === "i32") return Number(value) | 0;
  if (type === "i64") return BigInt.asIntN(64, BigInt(value));
  if (type === "f32" || type === "f64") {
    const made = float(type, value);
    if (Number.isNaN(made)) throw new Unsupported("JavaScript does not keep the bits of a NaN");
    return made;
  }
  if (/ref$|^refnull$/.test(type)) {
    if (value === undefined || value === "null") return null;
    if (type === "externref" || type === "anyref") return `extern ${value}`;
  }
  throw new Unsupported(`no argument of type ${type}`);
}

function fits(got, {type, value, values}) {
  if (type === "either") return values.some(one => fits(got, one));
  if (type === "i32") return (got | 0) === (Number(value) | 0) && typeof got === "number";
  if (type === "i64") return typeof got === "bigint" && BigInt.asIntN(64, got) === BigInt.asIntN(64, BigInt(value));
  if (type === "f32" || type === "f64") {
    if (String(value).startsWith("nan:")) return Number.isNaN(got);
    const wanted = float(type, value);
    return Number.isNaN(wanted) ? Number.isNaN(got) : Object.is(got, wanted);
  }
  if (type === "v128") throw new Unsupported("JavaScript has no vectors");
  if (/^null.*ref$|^refnull$/.test(type) || value === "null") return got === null;
  if (type === "externref" && value !== undefined) return got === `extern ${value}`;
  if (type === "funcref") return typeof got === "function";
  if (type === "exnref") throw new Unsupported("JavaScript has no exception references");
  return got !== null;
}

const bytes = ({filename, module_type}) => {
  if (module_type !== "binary") throw new Skipped("the text format");
  const data = fs.readFileSync(path.join(folder, filename));
  component = data[4] === 0x0d;
  if (component) throw new Unsupported("components");
  return data;
};
const link = module => {
  for (const {module: from} of WebAssembly.Module.imports(module)) if (!(from in registry)) throw new WebAssembly.LinkError(`unknown module ${from}`);
  return new WebAssembly.Instance(module, registry);
};
const instanceOf = name => {
  const found = name === undefined ? current : instances[name];
  if (!found) throw new (component ? Unsupported : Wrong)(component ? "components" : "there is no instance");
  return found;
};

function act({type, module, field, args}) {
  const item = instanceOf(module).exports[field];
  if (type === "get") return [item.value];
  const got = item(...(args || []).map(argument));
  return got === undefined ? [] : Array.isArray(got) ? got : [got];
}

// Runs a function that has to fail in one of these ways.
function fails(run, test, words) {
  try {
    run();
  } catch (error) {
    if (error instanceof Unsupported || error instanceof Skipped || error instanceof Wrong) throw error;
    if (test(error)) return;
    throw new Wrong(`${words} expected: ${error.name}: ${error.message}`);
  }
  throw new Wrong(`${words} expected: it succeeded`);
}
const {CompileError, LinkError, RuntimeError} = WebAssembly;
const exhausted = error => error instanceof RangeError || /stack/i.test(error.message);
// Null references are a TypeError where the interface says so.
const trapped = error => error instanceof RuntimeError || error instanceof TypeError || exhausted(error);

const commands = {
  module(command) {
    const made = link(new WebAssembly.Module(bytes(command)));
    current = made;
    if (command.name !== undefined) instances[command.name] = made;
  },
  module_definition(command) {
    defined = new WebAssembly.Module(bytes(command));
    if (command.name !== undefined) definitions[command.name] = defined;
  },
  module_instance(command) {
    current = link(command.module === undefined ? defined : definitions[command.module]);
    if (command.instance !== undefined) instances[command.instance] = current;
  },
  register: command => { registry[command.as] = instanceOf(command.name).exports; },
  action: command => { act(command.action); },
  assert_return({action, expected}) {
    if (expected.some(({type}) => type === "v128")) throw new Unsupported("JavaScript has no vectors");
    const got = act(action);
    if (got.length !== expected.length || !got.every((value, i) => fits(value, expected[i]))) {
      throw new Wrong(`returned ${got.map(String).join(", ")}; expected ${expected.map(one => `${one.type} ${one.value}`).join(", ")}`);
    }
  },
  assert_trap: ({action, text}) => fails(() => act(action), trapped, `trap: ${text}`),
  assert_exhaustion: ({action, text}) => fails(() => act(action), exhausted, `exhaustion: ${text}`),
  assert_exception: ({action}) => fails(() => act(action), error => error instanceof WebAssembly.Exception, "exception"),
  assert_invalid: command => fails(() => new WebAssembly.Module(bytes(command)), error => error instanceof CompileError, `invalid: ${command.text}`),
  assert_malformed: command => fails(() => new WebAssembly.Module(bytes(command)), error => error instanceof CompileError, `malformed: ${command.text}`),
  assert_unlinkable: command => fails(() => link(new WebAssembly.Module(bytes(command))), error => error instanceof LinkError || error instanceof TypeError, `unlinkable: ${command.text}`),
  assert_uninstantiable: command => fails(() => link(new WebAssembly.Module(bytes(command))), trapped, `trap: ${command.text}`),
};

const lines = [];
for (const [index, command] of JSON.parse(fs.readFileSync(script, "utf-8")).commands.entries()) {
  let status = "pass", message = "";
  try {
    const run = commands[command.type];
    if (!run) throw new Unsupported(`a command ${command.type}`);
    run(command);
  } catch (error) {
    status = error instanceof Skipped ? "skip" : error instanceof Unsupported ? "unsupported" : "fail";
    message = error instanceof Wrong || status !== "fail" ? error.message : `${error.name}: ${error.message}`;
    if (command.type.startsWith("module")) current = null;
  }
  lines.push(JSON.stringify({index, status, message}));
}
fs.writeFileSync(results, lines.join("\n") + "\n");
process.exitCode = lines.some(line => line.includes('"status":"fail"')) ? 1 : 0;
