// The pages of the matrix: all packages, a package, an interface, a function; and what a query leaves of them.

// The rows of some interfaces in which something matches the query, with the checks that match.
function filtered(rows) {
  if (Q.empty) return rows;
  const version = byVersion() ? -1 : S.versions.indexOf(R.of.version);
  const found = [];
  for (const row of rows) {
    const checks = row.checks.filter(check => Q.match(subject(row, check, version)));
    if (checks.length) found.push({...row, checks});
  }
  return found;
}

// A run is about every interface of its case; in a list it is there once.
function once(rows) {
  const seen = new Set();
  return rows.filter(row => row.level !== RUN || (!seen.has(row.checks[0].case) && seen.add(row.checks[0].case)));
}

// How many rows of each level match, and the level that is shown: the first with a match, if none is asked for.
function levels(rows) {
  const counts = LEVELS.map((_, at) => once(rows).filter(row => row.level === at).length);
  if (!R.of.level && !atVersion() && counts.some(Boolean)) R.level = counts.findIndex(Boolean);
  return counts;
}

const visible = rows => rows.filter(row => row.level === level() || (atVersion() && row.level === RUN && level() === MUST));
const sumRows = (rows, column) => sum(rows.filter(row => row.level === level() || (row.level === RUN && level() === MUST)).map(row => countRow(row, column)));
const notPassing = column => `runtime:${/[\s()"]/.test(column.name) ? `"${S.runtimes[column.runtime].name}"` : S.runtimes[column.runtime].name} not verdict:pass${column.version >= 0 ? ` version:${S.versions[column.version]}` : ""}`;
const failing = (path, column) => href(path, {q: [R.of.q, notPassing({...column, name: S.runtimes[column.runtime].name})].filter(Boolean).join(" ")});

function interfaceRows(packages, counted) {
  const shown = columns();
  return packages.map(([name, , places]) => {
    const mine = places.filter(place => counted.has(place));
    if (!mine.length) return [];
    const line = (head, path, counts, group) => ({head, group, cells: shown.map((column, i) => countCell(counts[i], level(), failing(path, column)))});
    const each = mine.map(place => shown.map((_, i) => counted.get(place)[i]));
    const whole = shown.map((_, i) => sum(each.map(counts => counts[i])));
    const rows = mine.map((place, n) => {
      const path = interfacePath(S.interfaces[place][0]);
      return line(link(href(path), breakable(short(S.interfaces[place][0]))), path, each[n], false);
    });
    return [line(link(href([name]), breakable(name)), [name], whole, true), ...rows];
  }).filter(rows => rows.length);
}

// The counts of interfaces: of the summary, of the tables of versions, or of the rows that match.
async function interfaceCounts(places, rows) {
  const shown = columns(), counted = new Map();
  if (rows) {
    for (const place of places) {
      const mine = rows.filter(row => row.interface === S.interfaces[place][0]);
      if (mine.length) counted.set(place, shown.map(column => sumRows(mine, column)));
    }
    return counted;
  }
  const tables = atVersion() ? (await load("versions")).tables.map(({rows: all}) => new Map(all)) : null;
  for (const place of places) {
    const [name, , , counts] = S.interfaces[place];
    if (!tables) counted.set(place, shown.map(column => total(counts[column.runtime])));
    else if (tables.some(table => table.has(name))) counted.set(place, shown.map(column => total((tables[column.runtime].get(name) || [])[column.version] || [])));
  }
  return counted;
}

async function homePage() {
  const places = S.interfaces.map((_, place) => place);
  const rows = Q.empty ? null : filtered(await loadRows(places));
  const counts = rows && levels(rows);
  const counted = await interfaceCounts(places, rows);
  const groups = interfaceRows(S.packages, counted);
  const caption = atVersion() ? "units of variants that pass of all" : ["how many MUST pass of all", "how many SHOULD hold of all", "values that were recorded where the text is silent", "how many runs ended as asked"][level()];
  return {
    title: rows ? `Search: ${R.of.q}` : "WASI 0.2 conformance",
    crumbs: [],
    body: [
      rows ? null : about(),
      controls(counts),
      rows ? [matches(rows), groups.length ? h("h2", null, "By interface") : null] : null,
      atVersion() ? dim(VERSION_NOTE) : null,
      groups.length ? matrix("Interfaces", "interface", columns(), groups, `${atVersion() ? "Versions" : LEVEL_WORDS[level()]}: ${caption}`) : dim(rows ? "Nothing matches." : "Nothing ran."),
      rows ? null : [legend(), runtimeTable()],
    ],
    said: rows ? `${plural(visible(once(rows)).length, "row")} at this level, ${counts.reduce((a, b) => a + b, 0)} in all` : "",
  };
}

function about() {
  const {unexpected, skipped, differ, silent} = S.numbers, to = q => href([], {q, level: ""}, {});
  const words = `${plural(S.requirements, "requirement")} in ${plural(S.cases, "case")}${S.variants ? ` (and ${S.variants.toLocaleString("en")} variants)` : ""} on ${plural(S.runtimes.length, "runtime")}, ${when(S.started)}`;
  return h("div", {class: "about"},
    h("p", null, h("span", {class: `status ${S.status.colour}`}, S.status.colour), ` ${words}${S.strict ? ", strict" : ""}`, S.partial ? h("b", null, ` Not complete: ${S.partial}`) : null),
    S.status.lines.length ? h("ul", {class: "plain"}, S.status.lines.map(line => h("li", null, line))) : null,
    h("p", null, "Look at: ", h("span", {class: "links"}, [[unexpected, "not as announced", "unexpected:yes"], [differ, "cases in which runtimes differ", "differs:yes"], [silent, "values where the text is silent", "level:recorded"], [skipped, "runs left out", "level:run verdict:skip"]]
      .map(([number, text, q]) => h("span", null, number ? link(to(q), text) : text, ` ${number.toLocaleString("en")}`)))));
}

function legend() {
  return h("p", {class: "legend"}, [["good", "✓", "all"], ["gaps", "◌", "what ran; a part was not run"], ["partial", "◐", "something is unsupported, or a run did not end as asked"], ["mixed", "✗", "some fail"], ["bad", "✗", "most fail"], ["recorded", "·", "values, no requirement"], ["unrun", "–", "not run"]]
    .map(([state, sign, text]) => [h("span", {class: `key c-${state}`}, sign), ` ${text} `]), h("span", {class: "alarm"}, "▲"), " not as announced. Beside the numbers: ✗ fail, ∅ unsupported, ≈ flaky, ! in error, ◌ not run.");
}

function runtimeTable() {
  const cell = (numbers, at) => countCell(total(numbers), at);
  return [h("h2", null, "Runtimes"), scroll("Runtimes", h("table", {class: "list runtimes"},
    h("thead", null, h("tr", null, ["runtime", "version", "cases", "MUST", "SHOULD", "recorded", "runs", "variants", "time", "peak", "status"].map(word => h("th", {scope: "col"}, word)))),
    h("tbody", null, S.runtimes.map((one, r) => h("tr", null, h("th", {scope: "row"}, one.name, one.reference ? h("span", {class: "tag"}, "reference") : null), h("td", {class: "dim"}, one.version),
      cell(one.cases, MUST), [MUST, SHOULD, RECORDED, RUN].map(at => cell(S.total[r], at)), cell(one.variants, MUST), h("td", null, `${one.wall} s`), h("td", null, memory(one.kib)), h("td", {class: one.red ? "bad" : "dim"}, one.words))),
    S.absent.map(([name, reason]) => h("tr", null, h("th", {scope: "row"}, name), h("td", {colspan: 10, class: "dim"}, `absent: ${reason}`))))))];
}

// The requirements that match, each with its cells.
const FEW = 40;
function matches(rows) {
  const found = visible(once(rows));
  if (!found.length) return null;
  const box = h("div", null), shown = columns();
  const show = most => box.replaceChildren(
    h("h2", {tabindex: -1}, plural(found.length, level() === RUN ? "run" : level() === RECORDED ? "recorded value" : "requirement")),
    matrix("Requirements that match", "requirement", shown, [found.slice(0, most).map(row => requirementLine(row, shown, true))]),
    ...(found.length > most ? [h("p", null, h("button", {type: "button", onclick: () => { show(found.length); box.querySelector("h2").focus(); }}, `Show all ${found.length}`))] : []));
  show(FEW);
  return box;
}

function requirementLine(row, shown, where) {
  const path = [...interfacePath(row.interface), row.function, row.requirement];
  const only = row.checks.length === 1 ? row.checks[0].case : "";
  const to = row.level === RUN ? href(["case", ...row.checks[0].case.split("/")], {}) : href(path, {level: "", case: Q.empty ? "" : only});
  const hits = new Set(Q.empty ? [] : row.checks.flatMap(check => Q.hits(subject(row, check, byVersion() ? -1 : S.versions.indexOf(R.of.version)))));
  const some = hits.size < S.runtimes.length && !byVersion();
  const head = [link(to, code(row.level === RUN ? row.checks[0].case : row.requirement)), h("div", {class: "words"}, where && row.function ? [h("span", {class: "where"}, `${short(row.interface)} › ${lean(row.function)}`), " "] : null, prose(row.words))];
  return {head, cells: shown.map(column => rowCell(row, column, {wide: shown.length <= 5, hit: some && hits.has(column.runtime)}))};
}

// A package: its interfaces and their functions.
async function packagePage(name) {
  const found = S.packages.find(([one]) => one === name);
  if (!found) return missing(`The record has nothing about a package ${name}.`);
  const rows = filtered(await loadRows(found[2]));
  const counts = levels(rows), shown = columns();
  const groups = found[2].map(place => {
    const [full] = S.interfaces[place], path = interfacePath(full), mine = rows.filter(row => row.interface === full);
    const line = (head, to, some, group) => ({head, group, cells: shown.map(column => countCell(sumRows(some, column), level(), failing(to, column)))});
    const functions = [...grouped(visible(mine).filter(row => row.function))];
    return mine.length ? [line(link(href(path), breakable(short(full))), path, mine, true), ...functions.map(([fn, some]) => line(link(href([...path, fn]), breakable(fn)), [...path, fn], some, false))] : [];
  }).filter(group => group.length);
  return {title: name, crumbs: [], body: [controls(counts), groups.length ? matrix(`Functions of ${name}`, "function", shown, groups) : dim("Nothing matches."), atVersion() ? dim(VERSION_NOTE) : null]};
}

function grouped(rows) {
  const found = new Map();
  for (const row of rows) found.set(row.function, [...(found.get(row.function) || []), row]);
  return found;
}

// An interface, or one function of it: its requirements.
async function interfacePage(place, wanted) {
  const [full] = S.interfaces[place], path = interfacePath(full);
  let rows = filtered(await loadRows([place]));
  if (wanted !== undefined) rows = rows.filter(row => row.function === wanted || lean(row.function) === wanted);
  const name = wanted === undefined ? full : rows.length ? rows[0].function : wanted;
  if (!rows.length && Q.empty) return missing(`The record has nothing about ${name} of ${full}.`);
  const counts = levels(rows), shown = columns();
  const lines = some => some.map(row => requirementLine(row, shown, false));
  const groups = [...grouped(visible(rows).filter(row => row.function))].map(([fn, some]) => [
    {head: link(href([...path, fn]), breakable(fn)), group: true, cells: shown.map(column => countCell(sumRows(some, column), level(), failing([...path, fn], column)))}, ...lines(some)]);
  const runs = visible(rows).filter(row => row.level === RUN);
  if (runs.length) groups.push([{head: "how the runs of its cases ended", group: true, cells: shown.map(column => countCell(sum(runs.map(row => countRow(row, column))), atVersion() ? MUST : RUN))}, ...lines(runs)]);
  const note = atVersion() ? VERSION_NOTE : wanted === undefined && level() === MUST ? runNote(rows, shown) : "";
  return {
    title: name, crumbs: wanted === undefined ? [[[path[0]], path[0]]] : [[[path[0]], path[0]], [path, short(full)]],
    body: [controls(counts), groups.length ? matrix(`Requirements of ${name}`, "requirement", shown, groups) : dim(`No ${LEVEL_WORDS[level()]} here.`), note ? dim(note) : null],
  };
}

// Whether the runs of its cases ended as asked, said below the requirements.
function runNote(rows, shown) {
  const bad = shown.map(column => [column.name, sum(rows.filter(row => row.level === RUN).map(row => countRow(row, column))).runs_failed]).filter(([, number]) => number);
  return bad.length ? ["Runs of its cases that did not end as asked: ", link(here({level: "run"}), bad.map(([name, number]) => `${name} ${number}`).join(", ")), "."] : "";
}
