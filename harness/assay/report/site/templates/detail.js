const letterOf = word => word === "FLAKY" ? "Y" : word[0];

// What is known of one case, from its file: data.py and case_files.py describe the object.
class CaseData {
  constructor(file) {
    this.file = file;
    this.made = file.case;
    this.text = n => n === undefined || n === null ? "" : file.texts[n];
    this.id = this.text(this.made.id);
  }

  // The numbers of the units per runtime.
  units(form) {
    return S.runtimes.map((_, r) => typeof form === "number" ? form : form[r] || 0);
  }

  unit(number) {
    if (number < 0) return {letter: ".", word: "no result", detail: "", value: null, unexpected: false, known: null};
    const [verdict = 0, unexpected = 0, known = 0, detail = 0, value = 0] = this.file.units[number];
    const word = this.file.verdicts[verdict];
    return {
      letter: letterOf(word), word, unexpected: !!unexpected,
      known: known ? this.file.known[known - 1].map(this.text) : null,
      detail: detail ? this.text(detail - 1) : "",
      value: value ? this.text(value - 1) : null,
    };
  }

  get checks() {
    return (this.made.checks || []).map(([number, form]) => {
      const [id, level, fn, since, words, basis, sentences = []] = this.file.checks[number];
      return {
        id: this.text(id), level, function: this.text(fn), since: this.text(since), words: this.text(words), units: this.units(form),
        basis: basis === undefined ? "" : this.text(basis),
        sentences: sentences.map(n => ({id: this.text(this.file.sentences[n][0]), text: this.file.sentences[n][1] ? this.text(this.file.sentences[n][1] - 1) : ""})),
      };
    });
  }

  get end() {
    return this.units(this.made.end);
  }

  // How the run on a runtime went, or null.
  run(r, made = this.made) {
    const run = made.runs[r];
    if (!run) return null;
    const [verdict, ended, wall, cpu, kib, left] = run;
    return {letter: letterOf(this.file.verdicts[verdict]), word: this.file.verdicts[verdict], ended: this.text(ended), wall, cpu, kib, left: !!left, ran: wall >= 0};
  }

  argv(r) {
    const rest = (this.made.argv || [])[r];
    return rest ? [...this.file.argv[r], ...rest].map(this.text).join(" ") : "";
  }

  history(unit) {
    const found = (this.file.history || []).find(([id]) => id === unit);
    return found ? found[1] : null;
  }
}

const seconds = ms => ms < 0 ? "–" : ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
const memory = kib => kib ? `${(kib / 1024).toFixed(1)} MiB` : "–";
const when = iso => iso.replace("T", " ").replace("+00:00", " UTC");
const tag = (word, kind = "") => h("span", {class: `tag ${kind}`}, word);
const LEVEL_OF = {must: "MUST", should: "SHOULD", unspecified: "recorded"};

function verdict({letter, word, unexpected}) {
  return [h("b", {class: `verdict v-${letter === "." ? "none" : letter}`}, h("span", {"aria-hidden": "true"}, SIGNS[letter]), ` ${word === "PASS" ? "pass" : word.toLowerCase()}`),
    unexpected ? h("span", {class: "alarm"}, " ▲ not as announced") : null];
}

function known([reason, kind, thread]) {
  return h("p", {class: "known"}, "known: ", reason, kind ? tag(kind) : null, thread ? [" ", outside(thread)] : null);
}

const level_tag = word => tag(LEVEL_OF[word], `level-${word}`);

// A requirement: our words, and the official sentences that it rests on, each with a link to its place.
function requirement(data, check) {
  const official = check.sentences.map(({id, text}) => {
    const address = (data.file.links || {})[id];
    return h("figure", {class: "official"}, text ? h("blockquote", null, prose(text)) : null, h("figcaption", null, address ? [outside(address, id), ` (${address.replace(/^.*\/([^/]+)#L(\d+)$/, "$1, line $2")})`] : code(id)));
  });
  const rests = check.basis === "unspecified" ? "No sentence decides it, so the value is recorded and never judged." : check.basis && check.basis !== "wit" ? `It rests on ${check.basis}.` : "";
  return [h("p", {class: "ours"}, prose(check.words)), official.length ? h("div", {class: "sentences"}, official) : null, rests ? dim(rests) : null];
}

const RIGHT = {touchstone: "the text decides", open: "the text says so, and its authors discuss it", nobody: "the text leaves it to the runtime"};

function divergence(found) {
  if (!found) return null;
  return h("section", {class: "divergence"}, h("h2", null, "Known divergence"), h("p", null, h("b", null, prose(found.title)), ": ", RIGHT[found.right] || found.right, ". ", prose(found.why)),
    h("table", {class: "list"}, h("tbody", null, Object.entries(found.does).map(([name, words]) => h("tr", null, h("th", {scope: "row"}, name), h("td", null, prose(words)))))),
    dim("Threads: ", found.links.length ? found.links.flatMap((address, i) => [i ? ", " : "", outside(address)]) : "none is known"));
}

// What a unit came to on each runtime, and how its runs went. Of many runtimes, those that did the same are one row.
const MANY = 6;
function sideBySide(data, units, recorded) {
  const rows = new Map();
  S.runtimes.forEach((one, r) => {
    const run = data.run(r), told = S.runtimes.length > MANY ? JSON.stringify([units[r], run && run.ended]) : r;
    rows.set(told, [...(rows.get(told) || []), r]);
  });
  const cells = places => {
    const unit = data.unit(units[places[0]]), run = data.run(places[0]);
    const times = places.map(r => data.run(r)).filter(one => one && one.ran);
    const between = (name, show) => [...new Set(times.length ? [Math.min(...times.map(one => one[name])), Math.max(...times.map(one => one[name]))].map(show) : ["–"])].join(" to ");
    return h("tr", null,
      h("th", {scope: "row"}, places.map((r, i) => [i ? ", " : "", S.runtimes[r].name])),
      h("td", null, recorded && unit.letter === "P" ? null : verdict(unit), unit.value !== null ? h("code", {class: "value"}, unit.value || "(empty)") : null, unit.detail ? h("p", {class: "detail"}, unit.detail) : null, unit.known ? known(unit.known) : null),
      h("td", {"data-label": "ended"}, run ? [run.ended, run.left ? tag("left a process behind") : null] : "no result"),
      h("td", {class: "number", "data-label": "wall time"}, between("wall", seconds)), h("td", {class: "number", "data-label": "peak memory"}, between("kib", memory)));
  };
  return scroll("Runtimes side by side", h("table", {class: "list sides-table"}, h("thead", null, h("tr", null, ["runtime", recorded ? "value" : "verdict", "the run ended", "wall time", "peak memory"].map(word => h("th", {scope: "col"}, word)))), h("tbody", null, [...rows.values()].map(cells))));
}

// The commands that repeat the runs.
function again(data) {
  const ran = S.runtimes.map((_, r) => r).filter(r => data.run(r)?.ran);
  if (!ran.length) return dim("Nothing ran, so there is no command.");
  const quoted = /^[\w@%+=:,./-]+$/.test(data.id) ? data.id : `'${data.id.replaceAll("'", `'"'"'`)}'`;
  const lines = ran.map(r => copyable(`${S.repro} ${quoted} ${S.runtimes[r].name}`, S.runtimes[r].name));
  const raw = ran.filter(r => data.argv(r)).map(r => h("div", null, h("p", {class: "dim"}, S.runtimes[r].name), h("pre", {class: "argv"}, data.argv(r))));
  return [dim("In the project's root: repeats a run in a folder that is kept, and prints its command line."),
    lines.length > 4 ? [lines[0], h("details", null, h("summary", null, `the other ${lines.length - 1} runtimes`), lines.slice(1))] : lines,
    raw.length ? h("details", null, h("summary", null, "command lines of the runs"), raw) : null,
    data.made.stdin ? dim(`with ${data.made.stdin} bytes on stdin`) : null];
}

function output(data, [name, ways, shown, others]) {
  const line = text => h("span", {class: `line${text[0] === "!" ? " differs" : text[0] === "-" ? " differs gap" : ""}`}, text.slice(1).split("\x7f").map((part, i) => i % 2 ? h("mark", null, part) : part), "\n");
  return h("section", {class: "output"}, h("h3", null, data.text(name), tag(ways > 1 ? `${ways} ways` : "alike", ways > 1 ? "differs" : "")),
    h("div", {class: "columns"}, shown.map(([places, text, size]) => {
      const names = places.map(r => S.runtimes[r].name).join(", ");
      return h("figure", null, h("figcaption", null, names, " ", h("span", {class: "dim"}, `${size} bytes`)), h("pre", {class: "out", tabindex: 0, role: "region", "aria-label": `${data.text(name)} of ${names}`}, data.text(text).split("\n").map(line)));
    })), others === undefined ? null : dim(`${data.text(others)}; the record has them.`));
}

function trace(data) {
  const found = data.made.trace, reference = S.runtimes.findIndex(one => one.reference);
  if (found) {
    const [runtime, calls, text] = found;
    return h("details", {class: "trace", open: calls <= 60}, h("summary", null, `${plural(calls, "line")} by ${data.text(runtime)}`), h("pre", {class: "out", tabindex: 0, role: "region", "aria-label": "trace of the host calls"}, data.text(text)));
  }
  const name = reference < 0 ? "the reference runtime" : S.runtimes[reference].name, run = reference < 0 ? null : data.run(reference);
  return dim(!run ? `${name} was not there for this run, so there is no trace.` : run.ran ? `${name} left no trace for this case.` : `${name} did not run this case.`);
}

// The letters of a strip in short form, one each.
const unfold = strip => [...strip.matchAll(/([A-Za-z.])(\d*)/g)].flatMap(([, letter, number]) => Array(Number(number || 1)).fill(letter));

// What a unit came to in the runs before, per runtime.
async function history(data, unit) {
  const strips = data.history(unit);
  if (!strips) return null;
  const runs = await load("runs");
  const rows = S.runtimes.map((one, r) => {
    const letters = unfold(strips[r]);
    if (!letters.length) return null;
    // a run without this runtime is no change; NAME@VERSION is the runtime NAME of the runs
    const had = letters.flatMap((letter, n) => letter === "." ? [] : [n]), changes = had.filter((n, i) => i && letters[n] !== letters[had[i - 1]]);
    const last = changes.at(-1), before = had[had.indexOf(last) - 1];
    const version = n => runs[n][2][one.name] || runs[n][2][one.name.split("@")[0]];
    const say = n => `${runs[n][0]}${version(n) ? ` (${version(n)})` : ""}`;
    const strip = h("div", {class: "strip", "aria-hidden": "true"}, letters.map((letter, n) => h("i", {class: `v-${letter === "." ? "none" : letter.toUpperCase()}`, title: `${runs[n][0]}, ${when(runs[n][1])}: ${WORDS[letter.toUpperCase()]}`}, SIGNS[letter.toUpperCase()])));
    const words = last === undefined ? `${WORDS[letters[had.at(-1)].toUpperCase()]} in all ${plural(had.length, "run")}` : `${WORDS[letters[last].toUpperCase()]} since ${say(last)}, before that ${WORDS[letters[before].toUpperCase()]} in ${say(before)}${changes.length > 1 ? `; ${changes.length} changes in all` : ""}`;
    return h("tr", null, h("th", {scope: "row"}, one.name), h("td", null, strip), h("td", {class: "dim"}, words));
  });
  return [h("h2", null, "History"), scroll("History", h("table", {class: "list history"}, h("thead", null, h("tr", null, h("th", {scope: "col"}, "runtime"), h("th", {scope: "col"}, `${plural(runs.length, "run")}, the newest last`), h("th", {scope: "col"}, "in words"))), h("tbody", null, rows)))];
}
