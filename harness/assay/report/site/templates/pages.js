// The other pages: all cases, who agrees with whom, scripts and programs, the history, and help.

const missing = words => ({title: "Nothing here", crumbs: [], body: [h("p", null, words), h("p", null, link("#/", "To the matrix"))], said: words});

async function casesPage() {
  const rows = (await loadAll(Array.from({length: S.lists}, (_, n) => `cases-${n}`))).flat();
  const words = (R.of.q || "").toLowerCase().split(/\s+/).filter(Boolean), shown = columns().map(column => ({...column, version: -1}));
  const found = rows.filter(([id, title]) => words.every(word => id.toLowerCase().includes(word) || title.toLowerCase().includes(word)));
  const lines = found.map(([id, title, letters, differ]) => ({
    head: [link(href(["case", ...id.split("/")], {}, {}), code(id)), differ ? tag("differs", "differs") : null, h("div", {class: "words"}, title)],
    cells: shown.map(column => letterCell(letters[column.runtime], {wide: shown.length <= 5})),
  }));
  return {title: "Cases", crumbs: [], plainSearch: true, body: [dim(`${plural(found.length, "case")}. The box filters them by their id and title.`), found.length ? matrix("Cases", "case", shown, [lines]) : null], said: plural(found.length, "case")};
}

async function agreementPage() {
  const {order, pairs} = await load("agreement");
  if (!order.length) return {title: "Who agrees with whom", crumbs: [], body: [dim("It takes two runtimes to agree.")]};
  const percent = ([both, apart]) => !both ? "–" : apart ? Math.min(99.9, 100 * (both - apart) / both).toFixed(1).replace(/\.0$/, "") : "100";
  const shown = order.map(r => ({name: S.runtimes[r].name}));
  const rows = order.map(a => ({head: S.runtimes[a].name, cells: order.map(b => {
    const pair = pairs[a][b], words = `${pair[1]} of ${pair[0]} differ`;
    return a === b ? h("td", {class: "c-none"}, sr("itself")) : h("td", {class: `c-${!pair[0] ? "none" : pair[1] === 0 ? "good" : pair[1] * 50 < pair[0] ? "gaps" : pair[1] * 10 < pair[0] ? "partial" : "mixed"}`, title: words}, percent(pair), sr(` percent; ${words}`));
  })}));
  return {title: "Who agrees with whom", crumbs: [], body: [dim("The percentage of the units in which two runtimes agree: each check of each case that both ran, and how its run ended. They agree where the verdict and the recorded value are the same. Similar runtimes are beside each other."), matrix("Agreement", "runtime", shown, [rows])]};
}

async function historyPage() {
  const runs = await load("runs");
  if (!runs.length) return {title: "Runs", crumbs: [], body: [dim("The site was made without a history.")]};
  const had = runs.flatMap(([, , versions]) => Object.keys(versions)), names = [...new Set([...S.runtimes.map(one => one.name).filter(name => had.includes(name)), ...had])];
  return {title: "Runs", crumbs: [], body: [dim("The runs of the history, the newest first. The page of a requirement or a case has what it came to in each of them."), scroll("Runs", h("table", {class: "list"},
    h("thead", null, h("tr", null, ["run", "began", ...names].map(word => h("th", {scope: "col"}, word)))),
    h("tbody", null, [...runs].reverse().map(([name, date, versions, words]) => h("tr", null, h("th", {scope: "row"}, name, h("div", {class: "words"}, words)), h("td", null, when(date)), names.map(name => h("td", {class: "dim"}, versions[name] || "–")))))))]};
}

async function othersPage() {
  const {scripts, programs} = await load("others");
  const table = (label, head, rows) => scroll(label, h("table", {class: "list"}, h("thead", null, h("tr", null, head.map(word => h("th", {scope: "col"}, word)))), h("tbody", null, rows.map(([name, ...rest]) => h("tr", null, h("th", {scope: "row"}, name), rest.map(value => h("td", {class: "number"}, String(value))))))));
  return {title: "Scripts and programs", crumbs: [], body: [
    h("h2", null, "Official scripts"), scripts ? [dim(`of WebAssembly and the component model, on ${scripts.runtime}`), table("Scripts", ["suite", "scripts", "pass whole", "commands", "passed", "known failures", "unexpected", "skipped"], scripts.rows)] : dim("There was no record of them."),
    h("h2", null, "Programs of other suites"), programs ? [dim(programs.suite), table("Programs", ["runtime", "version", "programs", "passed", "known failures", "unexpected"], programs.rows)] : dim("There was no record of them."),
  ]};
}

function helpPage() {
  const example = (q, words) => h("tr", null, h("td", null, link(href([], {q}, {}), h("code", null, q))), h("td", null, words));
  const jco = S.runtimes.at(-1)?.name || "jco", other = S.runtimes.length > 1 ? S.runtimes.at(-2).name : "wasmtime";
  return {title: "How to search", crumbs: [], body: [
    h("p", null, "A query has terms, all of which must hold, and free text, which is looked for in names and words. It filters what the page shows; the address has it, so it can be kept and sent."),
    scroll("Examples", h("table", {class: "list"}, h("thead", null, h("tr", null, h("th", {scope: "col"}, "query"), h("th", {scope: "col"}, "what it finds"))), h("tbody", null,
      example(`runtime:${jco} verdict:fail level:must function:descriptor.open-at`, `what ${jco} fails of the MUST of open-at`),
      example(`${jco}:fail ${other}:pass`, `what fails on ${jco} and passes on ${other}: short for (runtime:${jco} verdict:fail) (runtime:${other} verdict:pass)`),
      example("none(verdict:pass) package:io", "what passes nowhere"),
      example("all(verdict:pass or verdict:skip) level:should", "what passes on all runtimes that ran it"),
      example(`runtime:${jco} not verdict:pass`, `what does not pass on ${jco}, for whatever reason`),
      example("verdict:crash,timeout", "what crashes or hangs somewhere"),
      example("unexpected:yes", "what is not as the expectations announce"),
      example("differs:yes level:recorded", "values that differ where the text is silent"),
      example(`runtime:${jco} verdict:fail version:*`, `what ${jco} fails in a variant against another version`),
      example('"text file busy" or case:symlinks', "free text, or a case"),
    ))),
    h("h2", null, "The terms"),
    h("dl", {class: "terms"}, [
      ["runtime:", `one of ${S.runtimes.map(one => one.name).join(", ")}; * stands for anything`],
      ["verdict:", Object.keys(assayQuery.VERDICTS).join(", ")], ["level:", "must, should, recorded, run (how a run ended)"],
      ["package: interface: function: requirement: case: since:", "a part of the name, or a pattern with *"],
      ["version:", S.versions.length ? `a variant against ${S.versions.join(", ")}, or *` : "the record has no variants"], ["unexpected: differs:", "yes or no"],
    ].map(([name, words]) => [h("dt", null, h("code", null, name)), h("dd", null, words)])),
    h("p", null, "Values may be a list (", h("code", null, "verdict:fail,crash"), ") and may be negated (", h("code", null, "verdict:!pass"), "). ", h("code", null, "or"), ", ", h("code", null, "not"), " (or ", h("code", null, "-"), ") and parentheses combine terms. Terms about a result (runtime, verdict, unexpected, version) are about the same result; parentheses with a ", h("code", null, "runtime:"), " inside, ", h("code", null, "any(…)"), ", ", h("code", null, "all(…)"), " and ", h("code", null, "none(…)"), " are about results of their own."),
    h("p", null, "The key / goes to the box."),
  ]};
}
