// Tables whose columns are runtimes, or the versions of one runtime.

// The columns that a route asks for.
function columns() {
  const version = S.versions.indexOf(R.of.version);
  if (R.of.by === "version" && S.versions.length) {
    const runtime = Math.max(0, S.runtimes.findIndex(one => one.name === R.of.runtime));
    return S.versions.map((name, place) => ({name, runtime, version: place}));
  }
  const wanted = (R.of.runtimes || "").split(",").filter(Boolean);
  const all = S.runtimes.map((one, runtime) => ({name: one.name, runtime, version}));
  const some = all.filter(column => wanted.includes(column.name));
  return some.length ? some : all;
}

const byVersion = () => R.of.by === "version" && S.versions.length > 0;
const atVersion = () => byVersion() || S.versions.includes(R.of.version);
// The level that the address names, or else the first one that has something.
const level = () => LEVELS.includes(R.of.level) ? LEVELS.indexOf(R.of.level) : R.level || MUST;

// A cell with a count. It is a link where something in it does not pass.
function countCell(count, at, to) {
  const shown = face(count, at);
  if (shown.state === "none") return h("td", {class: "c-none"}, sr(shown.words));
  const inside = [
    h("span", {"aria-hidden": "true"}, h("b", null, shown.sign), ` ${at === RECORDED && shown.good === shown.all ? shown.good : `${shown.good}/${shown.all}`}`,
      shown.marks.map(([sign, number, , word]) => h("small", null, ` ${sign}${number}${word ? ` ${word}` : ""}`)), shown.unexpected ? h("span", {class: "alarm"}, ` ▲${shown.unexpected}`) : null),
    sr(shown.words),
  ];
  return h("td", {class: `c-${shown.state}`, title: shown.words}, to && shown.marks.length ? link(to, inside) : inside);
}

// A cell with one verdict, or with the letter of the value that was recorded.
function letterCell(letter, {to = "", value = "", wide = false, hit = false, recorded = false} = {}) {
  if (!letter) return h("td", {class: "c-none"}, sr("not in this version"));
  const upper = letter.toUpperCase(), alarm = letter !== upper, plain = recorded && upper === "P";
  const word = plain ? "recorded" : WORDS[upper]; // a value neither passes nor fails
  const text = value ? [h("b", {class: `letter l${value.charCodeAt(0) % 4}`}, value), sr(`recorded value ${value}`)]
    : [h("b", {"aria-hidden": "true"}, plain ? "·" : SIGNS[upper]), wide ? h("span", {class: "word"}, ` ${word}`) : sr(word)];
  const inside = [text, alarm ? [h("span", {class: "alarm", "aria-hidden": "true"}, " ▲"), sr("not as announced")] : null];
  return h("td", {class: `v-${upper === "." || plain ? "none" : upper}${hit ? " hit" : ""}`, title: `${word}${alarm ? ", not as announced" : ""}`}, to ? link(to, inside) : inside);
}

// Digits of groups of values as letters: the most common value is A.
const valueLetter = digit => digit === "." || digit === undefined ? "" : String.fromCharCode(65 + parseInt(digit, 36));

// The cell of a row in a column.
function rowCell(row, column, options) {
  const letter = worst(row.checks.map(check => letterAt(check, column)).filter(Boolean));
  const groups = row.level === RECORDED && row.checks.length === 1 && column.version < 0 ? row.checks[0].groups : "";
  return letterCell(letter, {...options, recorded: row.level === RECORDED, value: groups ? valueLetter(groups[column.runtime]) : ""});
}

// The whole table. `groups` are lists of rows {head, cells, group}; `head` is what the first cell has.
function matrix(label, first, shown, groups, caption) {
  const head = h("thead", null, h("tr", null, h("th", {scope: "col"}, first), shown.map(column => h("th", {scope: "col"}, breakable(column.name)))));
  const body = groups.map(rows => h("tbody", null, rows.map(row =>
    h("tr", {class: row.group ? "group" : null}, h("th", {scope: row.group && rows.length > 1 ? "rowgroup" : "row"}, row.head), row.cells))));
  const letters = groups.flat().some(row => !row.group && row.cells.some(cell => cell.className.startsWith("v-")));
  return scroll(label, h("table", {class: `matrix${shown.length > 8 ? " many" : ""}${letters ? " letters" : ""}`}, h("caption", caption ? null : {class: "sr"}, caption || label), head, body));
}

// The choices above a table: level, axis, version, columns. Each is a link or writes one.
function controls(counts) {
  const tabs = h("ul", {class: "tabs"}, LEVELS.map((name, at) => h("li", null, h("a", {
    href: here({level: at === MUST && !counts ? "" : name}), "aria-current": at === level() ? "true" : null,
  }, LEVEL_WORDS[at], counts ? h("span", {class: "count"}, ` ${counts[at]}`) : null))));
  const choice = (label, value, options, change) => h("label", null, `${label} `, h("select", {onchange: event => go(change(event.target.value))},
    options.map(([word, text]) => h("option", {value: word, selected: word === value}, text))));
  const made = [];
  if (!atVersion()) made.push(h("nav", {"aria-label": "Level"}, tabs));
  if (S.versions.length) {
    made.push(choice("Columns", byVersion() ? "version" : "", [["", "runtimes"], ["version", "versions of WASI"]], by => here({by, version: "", runtime: by ? S.runtimes[0].name : ""})));
    made.push(byVersion()
      ? choice("of", R.of.runtime || "", S.runtimes.map(one => [one.name, one.name]), runtime => here({runtime}))
      : choice("at", R.of.version || "", [["", "the version of each case"], ...S.versions.map(name => [name, name])], version => here({version, level: ""})));
  }
  if (!byVersion() && S.runtimes.length > 3) made.push(picker());
  return h("div", {class: "controls"}, made);
}

// Which runtimes are columns.
function picker() {
  const on = columns().map(column => column.name);
  const boxes = S.runtimes.map(one => h("label", null, h("input", {type: "checkbox", value: one.name, checked: on.includes(one.name)}), ` ${one.name}`));
  const changed = () => {
    const names = boxes.map(box => box.querySelector("input")).filter(input => input.checked).map(input => input.value);
    go(here({runtimes: names.length === S.runtimes.length ? "" : names.join(",")}));
  };
  const all = h("button", {type: "button", onclick: () => go(here({runtimes: ""}))}, "all");
  const box = h("details", {class: "picker"}, h("summary", null, `${on.length} of ${S.runtimes.length} runtimes`), h("div", null, boxes, all));
  box.addEventListener("change", changed);
  box.open = pickerOpen;
  box.addEventListener("toggle", () => { pickerOpen = box.open; });
  return box;
}
let pickerOpen = false;

const VERSION_NOTE = "At a version, the variants count that run a component as if it had been built against that version: each MUST check of each of them, and how its run ended. The version that a case was built against has the case itself.";
