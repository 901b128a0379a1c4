"use strict";
// Shows what is behind an entry when it is opened, from the data of the page (report/data.py says what is where).
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const every = (selector, from = document) => [...from.querySelectorAll(selector)];
const SIGNS = D.signs;
const LETTERS = "ABCDEFGHIJKLMNOP";
const esc = text => String(text).replace(/[&<>"]/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[c]);
const T = number => D.texts[number];
const E = number => esc(T(number));
const anchor = text => text.replace(/[^\p{L}\p{N}_.-]/gu, "-");
const many = D.runtimes.length > 6;
const map = (list, make) => (list || []).map(make).join("");

function who(runtimes) {
  const all = D.runtimes.length;
  if (runtimes.length === all && all > 1) return "all";
  return runtimes.length * 2 > all && runtimes.length > 4 ? `the other ${runtimes.length}` : esc(runtimes.map(r => D.runtimes[r]).join(", "));
}

// The runtimes by what they have: [value, runtimes], the largest group first. `units` are as per runtime in data.py.
function groups(units, key = unit => unit) {
  const found = new Map();
  D.runtimes.forEach((_, r) => {
    const mine = key(typeof units === "number" ? units : units[r] || 0);
    if (mine !== null) found.set(mine, [...(found.get(mine) || []), r]);
  });
  return [...found].sort((a, b) => b[1].length - a[1].length);
}

const verdict = word => `<b class="v v-${word}">${SIGNS[word]} ${word}</b>`;

function known([reason, kind, link]) {
  const where = T(link).startsWith("http") ? ` <a href="${E(link)}">thread</a>` : T(link) && ` (${E(link)})`;
  return ` <span class="known">known: ${E(reason)}${T(kind) && ` [${E(kind)}]`}${where}</span>`;
}

function unit(number) {
  if (number < 0) return '<span class="v v-SKIP">– no result</span>';
  const [v = 0, unexpected, why, detail, value] = D.units[number];
  return (value && v === 0 ? "" : verdict(D.verdicts[v])) + (unexpected ? ' <span class="alarm">▲ unexpected</span>' : "")
    + (why ? known(D.known[why - 1]) : "") + (value ? `<code class="value">${E(value - 1) || "(empty)"}</code>` : "")
    + (detail ? ` <span class="detail">${E(detail - 1)}</span>` : "");
}

// A requirement: our words, and the official sentences that it rests on, where the report had them.
function requirement([, , , , words, basis, sentences]) {
  const text = basis === undefined ? "" : T(basis);
  const official = map(sentences, n => `<p class="dim"><code>${E(D.sentences[n][0])}</code></p>` + (D.sentences[n][1] ? `<blockquote>${E(D.sentences[n][1] - 1)}</blockquote>` : ""));
  const rests = text === "unspecified" ? "no sentence decides it" : text && text !== "wit" ? `rests on ${esc(text)}` : "";
  return `<div class="says"><p>${E(words)}</p><div>${official}${rests && `<p class="dim">${rests}</p>`}</div></div>`;
}
const level = check => `<span class="tag level-${check[1]}">${check[1]}</span>`;
const toCase = c => `<a href="#case-${anchor(T(D.cases[c].id))}">${E(D.cases[c].id)}</a>`;
const results = units => map(groups(units), ([u, runtimes]) => `<div>${who(runtimes)} ${unit(u)}</div>`);
const seconds = ms => ms < 0 ? "–" : ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
const memory = kib => kib ? `${(kib / 1024).toFixed(1)} MiB` : "–";

function surpriseBody(index) {
  const units = D.surprises[index];
  if (units.length === 1) return `<p>${unit(units[0][1])}</p>`;
  return `<ul class="plain">${map(units, ([id, u]) => `<li><code>${E(id)}</code> ${unit(u)}</li>`)}</ul>`;
}

function valueBody(index) {
  const [c, at] = D.values[index], [number, units] = D.cases[c].checks[at], check = D.checks[number];
  const value = u => u >= 0 && D.units[u][4] ? D.units[u][4] - 1 : null;
  return `${requirement(check)}<p class="dim">${E(check[2])}, since ${E(check[3])}; ${toCase(c)}</p><dl>`
    + groups(units, value).map(([v, runtimes], i) => `<dt><span class="letter l${i % 4}">${LETTERS[i % 16]}</span> ${who(runtimes)}</dt><dd><code class="value">${E(v) || "(empty)"}</code></dd>`).join("") + "</dl>";
}

function functionBody(index) {
  return map(D.functions[index], ([number, cases]) => {
    const check = D.checks[number];
    const alike = new Map();
    for (const [c, at] of cases) {
      const told = groups(D.cases[c].checks[at][1], u => u < 0 ? "SKIP" : D.verdicts[D.units[u][0] || 0]).map(([v, runtimes]) => `<b class="v v-${v}">${SIGNS[v]}</b> ${who(runtimes)}`).join(" · ");
      alike.set(told, [...(alike.get(told) || []), toCase(c)]);
    }
    const shown = map([...alike], ([told, links]) => `<p class="dim">${told} in ${links.join(", ")}</p>`);
    return `<div class="check"><p>${level(check)} <code>${E(check[0])}</code> <span class="dim">since ${E(check[3])}</span></p>${requirement(check)}${shown}</div>`;
  });
}

function output([name, ways, columns, others]) {
  const line = text => `<span class="row${text[0] === "!" ? " differs" : text[0] === "-" ? " differs gap" : ""}">`
    + text.slice(1).split("\x7f").map((part, i) => i % 2 ? `<mark>${esc(part)}</mark>` : esc(part)).join("") + "\n</span>";
  const shown = columns.map(([runtimes, text, size], i) => `<figure><figcaption><span class="letter l${i % 4}">${LETTERS[i % 16]}</span> ${esc(runtimes.map(r => D.runtimes[r]).join(", "))} <span class="dim">${size} bytes</span></figcaption><pre class="out">${map(T(text).split("\n"), line)}</pre></figure>`);
  return `<h4>${E(name)} <span class="tag ${ways > 1 ? "differs" : "same"}">${ways > 1 ? `≠ ${ways} ways` : "= alike"}</span></h4>`
    + (shown.length ? `<div class="sides" style="--k: ${shown.length}">${shown.join("")}</div>` : "")
    + (others === undefined ? "" : `<p class="dim">${E(others)}; the record has them.</p>`);
}

function trace(made) {
  if (made.trace) return `<details class="trace"><summary>trace by ${E(made.trace[0])}, ${made.trace[1]} calls</summary><pre class="out">${E(made.trace[2])}</pre></details>`;
  const run = D.runtimes.includes(D.reference) && made.runs[D.runtimes.indexOf(D.reference)];
  const name = esc(D.reference || "the reference runtime");
  return `<p class="dim">${!run ? `${name} was not there for this run, so there is no trace of the host calls` : D.verdicts[run[0]] === "SKIP" ? `${name} did not run this case` : `${name} left no trace for this case`}.</p>`;
}

// The runs and checks of a case or of one of its variants. `ran` are the runtimes on which it ran.
function runsAndChecks(made, ran) {
  const rows = map(D.runtimes, (name, r) => {
    if (!made.runs[r]) return "";
    const [v, ended, wall, cpu, kib, left] = made.runs[r];
    return `<tr><th scope="row">${esc(name)}<td>${verdict(D.verdicts[v])}<td>${E(ended)}${left ? ' <span class="tag">left a process behind</span>' : ""}<td>${seconds(wall)}<td>${seconds(cpu)}<td>${memory(kib)}`;
  });
  const again = (many ? ran.slice(0, 1) : ran).map(r => `${esc(D.repro)} ${E(made.id)} ${esc(D.runtimes[r])}`).join("\n");
  return `<div class="scroll"><table class="list runs"><thead><tr><th>runtime<th>verdict<th>ended<th>wall<th>CPU<th>peak memory</thead>${rows}</table></div><h4>Again</h4>`
    + (ran.length ? `<p class="dim">Repeats a run in a folder that is kept, and prints its command line for a shell${many ? ". The last word names the runtime" : ""}:</p><pre class="argv">${again}</pre>` : '<p class="dim">Nothing ran.</p>')
    + (made.argv && ran.length ? `<details class="lines"><summary>Command lines of the runs</summary>${map(ran.filter(r => made.argv[r]), r => `<pre class="argv" data-runtime="${esc(D.runtimes[r])}">${[...D.argv[r], ...made.argv[r]].map(E).join(" ")}</pre>`)}</details>` : "")
    + (made.stdin ? `<p class="dim">with ${made.stdin} bytes on stdin</p>` : "")
    + `<h4>Checks</h4><table class="list checks">${map(made.checks, ([number, units]) => `<tr><th scope="row"><details><summary>${level(D.checks[number])} <code>${E(D.checks[number][0])}</code></summary>${requirement(D.checks[number])}</details><td>${results(units)}`)}<tr><th scope="row">the run as a whole<td>${results(made.end)}</table>`
    + map(made.outputs, output);
}

// The runtimes that have a command line of the case: its variants have the same.
const ranOf = made => D.runtimes.map((_, r) => r).filter(r => made.runs[r] && made.runs[r][2] >= 0);

function caseBody(index) {
  const made = D.cases[index];
  const about = made.about ? ` · ${made.about.map(E).join(", ")}` : "", differ = made.differ ? ` · differ in ${made.differ.map(E).join(", ")}` : "";
  const variants = map(made.variants, variant => `<details class="variant" id="case-${anchor(T(variant.id))}"><summary class="grid"><span class="name">${E(variant.id)}</span>`
    + map(variant.runs, (run, r) => many ? (run ? `<b class="${D.verdicts[run[0]]}">${SIGNS[D.verdicts[run[0]]]}</b>` : "<b>no result</b>") : `<span class="cellwrap"><span class="rt">${esc(D.runtimes[r])}</span>${run ? verdict(D.verdicts[run[0]]) : '<b class="v v-SKIP">no result</b>'}</span>`) + "</summary></details>");
  return '<div class="body">' + (made.notes === undefined ? "" : `<p>${E(made.notes)}</p>`)
    + `<p class="dim">${E(made.file)}${made.sum ? `, SHA-256 ${made.sum}…` : ""}${about}${differ}</p>` + runsAndChecks(made, ranOf(made))
    + "<h4>Host calls</h4>" + trace(made)
    + (variants ? `<h4>Variants</h4><p class="dim">The same component with the versions of WASI in its names rewritten, or on a kernel without openat2. Outputs are shown where they are not as above; the record has the traces.</p>${variants}` : "") + "</div>";
}

// The table of a runtime: interface by version, and what does not pass, to which the cells lead.
function versionBody(r) {
  const {at, rows, sums, fails} = D.versions[r];
  const first = (row, v) => fails.findIndex(([, , c, variants, mine]) => mine.includes(row) && variants.some(i => variation(c, i) === at[v]));
  const cell = (row, v, count) => {
    const [passed, failed, unsupported, errors, skipped] = Array.isArray(count) ? count : [count, 0, 0, 0, 0];
    const total = passed + failed + unsupported + errors + skipped;
    if (!total) return "<td>";
    const state = failed || errors ? (passed ? "mixed" : "bad") : unsupported ? "partial" : skipped ? (passed ? "gaps" : "unrun") : "good";
    const marks = [["✗", failed], ["∅", unsupported], ["!", errors], ["◌", skipped]].filter(m => m[1]).map(m => ` <small>${m.join("")}</small>`).join("");
    const text = total === passed ? `✓ ${passed}` : `${passed}/${total}${marks}`, to = row === null ? -1 : first(row, v);
    return `<td class="${state}">` + (to < 0 ? text : `<a href="#fails-${r}-${to}">${text}</a>`);
  };
  const line = (name, row, counts) => `<tr><th scope="row">${name}${counts.map((count, v) => cell(row, v, count)).join("")}`;
  const places = (c, variants) => variants.length === D.cases[c].variants.length + (D.cases[c].built ? 1 : 0) ? "all of its versions" : variants.map(i => `<a href="#case-${anchor(T((D.cases[c].variants[i] || D.cases[c]).id))}">${variation(c, i)}</a>`).join(", ");
  return `<div class="scroll"><table class="versions"><thead><tr><th scope="col">interface${map(at, v => `<th scope="col">${v}`)}</thead>`
    + map(rows, ([name, counts], row) => line(E(name).replace(/^wasi:/, ""), row, counts)) + line("all, each unit once", null, sums) + "</table></div>"
    + (fails.length ? `<h4>What does not pass</h4><ul class="plain">${map(fails, ([u, id, c, variants], n) => `<li id="fails-${r}-${n}">${toCase(c)} <code>${T(id) === "@expect" ? "the run as a whole" : E(id)}</code> at ${places(c, variants)}: ${unit(u)}</li>`)}</ul>` : "");
}
// What a variant is against is in its id. The case itself is -1.
const variation = (c, i) => i < 0 ? D.cases[c].built : T(D.cases[c].variants[i].id).split("@")[1];

// The maker of the body of each entry that can be opened; an entry is filled once.
const body = new Map();
every("details.surprise").forEach((d, i) => body.set(d, () => surpriseBody(i)));
every("details.value-of").forEach((d, i) => body.set(d, () => valueBody(i)));
every("details.version").forEach((d, i) => body.set(d, () => versionBody(i)));
every("details.function").forEach((d, i) => body.set(d, () => functionBody(i)));
every("details.case").forEach((d, i) => body.set(d, () => caseBody(i)));

function fill(details) {
  const make = body.get(details);
  if (!make) return;
  body.delete(details);
  details.insertAdjacentHTML("beforeend", make());
  const variants = every("details.variant", details);
  if (variants.length) {
    const mine = D.cases[every("details.case").indexOf(details)].variants;
    variants.forEach((d, i) => body.set(d, () => `<div class="body">${runsAndChecks(mine[i], ranOf(mine[i]))}</div>`));
  }
}
addEventListener("toggle", event => fill(event.target), true);
every("details[open]").forEach(fill);

// Where two runtimes part: the checks of all cases, and how the runs ended.
function pairBody(a, b) {
  const at = (units, r) => typeof units === "number" ? units : units[r] || 0;
  const told = number => number < 0 || D.verdicts[D.units[number][0] || 0] === "SKIP" ? null : `${D.units[number][0] || 0} ${D.units[number][4] || 0}`;
  const found = D.cases.map((made, c) => [c, [...made.checks || [], [-1, made.end]].filter(([, units]) => {
    const [x, y] = [told(at(units, a)), told(at(units, b))];
    return x !== null && y !== null && x !== y;
  })]).filter(([, rows]) => rows.length);
  const row = ([number, units]) => `<tr><th scope="row">${number < 0 ? "the run as a whole" : `${level(D.checks[number])} <code>${E(D.checks[number][0])}</code>`}<td>${unit(at(units, a))}<td>${unit(at(units, b))}`;
  return `<h3>${esc(D.runtimes[a])} and ${esc(D.runtimes[b])}</h3>` + (found.length
    ? `<div class="scroll"><table class="list"><thead><tr><th>check<th>${esc(D.runtimes[a])}<th>${esc(D.runtimes[b])}</thead>${map(found, ([c, rows]) => `<tr><th scope="rowgroup" colspan="3">${toCase(c)}${map(rows, row)}`)}</table></div>`
    : "<p>They agree in all that both ran.</p>");
}

function reveal() {
  const id = location.hash && decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  const pair = /^pair-(\d+)-(\d+)$/.exec(id);
  if (pair && $("pair") && pair.slice(1).every(r => r < D.runtimes.length)) {
    $("pair").innerHTML = pairBody(+pair[1], +pair[2]);
    $("pair").scrollIntoView();
    return;
  }
  const fails = /^fails-(\d+)-/.exec(id), variants = D.cases.findIndex(made => (made.variants || []).some(v => `case-${anchor(T(v.id))}` === id));
  if (fails) fill(every("details.version")[fails[1]]);
  if (variants >= 0) fill(every("details.case")[variants]);
  const target = $(id);
  if (!target) return;
  for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") { fill(e); e.open = true; }
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

// What a case is about, when somebody asks: its component and interfaces, and the requirements and functions of its checks.
let names = null;
const index = () => D.cases.map(made => [made.file, ...(made.about || []), ...(made.checks || []).flatMap(([c]) => [D.checks[c][0], D.checks[c][2]])].map(T).join(" ").toLowerCase());
function filter() {
  names = names || index();
  const text = $("find").value.toLowerCase(), had = $("had").value, on = $("on").value;
  let shown = 0;
  every("details.case").forEach((c, i) => {
    const made = D.cases[i], all = [made, ...(made.variants || [])];
    const runs = all.flatMap(m => m.runs.map((run, r) => run && [D.verdicts[run[0]], D.runtimes[r]])).filter(run => run && (!had || run[0] === had) && (!on || run[1] === on));
    c.hidden = (text && !c.querySelector("summary").textContent.toLowerCase().includes(text) && !names[i].includes(text))
      || ((had || on) && !runs.length) || ($("only-differ").checked && !made.differ) || ($("only-bad").checked && all.every(m => m.runs.every(run => run && run[0] === 0)));
    shown += !c.hidden;
  });
  $("found").textContent = shown + " shown";
}
for (const id of ["find", "had", "on", "only-differ", "only-bad"]) $(id).addEventListener("input", filter);
document.querySelector(".filters").hidden = false;
