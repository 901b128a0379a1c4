// Counts, as harness/assay/report/count.py has them: MUST, SHOULD, recorded values and runs are never added.
const NUMBERS = ["passed", "failed", "unsupported", "flaky", "errors", "not_run", "should_passed", "should_failed", "should_not_run", "values", "values_lost", "values_not_run", "runs", "runs_failed", "runs_not_run", "unexpected"];
const LEVELS = ["must", "should", "recorded", "run"], LEVEL_WORDS = ["MUST", "SHOULD", "recorded", "runs"];
const [MUST, SHOULD, RECORDED, RUN] = [0, 1, 2, 3];
const WORDS = {P: "pass", S: "not run", U: "unsupported", Y: "flaky", F: "fail", T: "timeout", C: "crash", E: "error", ".": "no result"};
const SIGNS = {P: "✓", S: "–", U: "∅", Y: "≈", F: "✗", T: "◷", C: "☠", E: "!", ".": "·"};
const RANK = {P: 0, S: 1, ".": 1, U: 2, Y: 3, F: 4, T: 5, C: 6, E: 7};

const total = numbers => Object.fromEntries(NUMBERS.map((name, i) => [name, numbers[i] || 0]));

function sum(counts) {
  const made = total([]);
  for (const count of counts) for (const name of NUMBERS) made[name] += count[name];
  return made;
}

// The count of one letter at a level.
function countLetter(letter, level) {
  const made = total([]), upper = letter.toUpperCase();
  const skipped = upper === "S" || upper === ".", passed = upper === "P";
  made.unexpected = +(letter !== upper);
  if (level === RUN) made[skipped ? "runs_not_run" : "runs"]++, made.runs_failed += +(!passed && !skipped);
  else if (level === RECORDED) made[passed ? "values" : skipped ? "values_not_run" : "values_lost"]++;
  else if (level === SHOULD) made[passed ? "should_passed" : skipped ? "should_not_run" : "should_failed"]++;
  else made[passed ? "passed" : skipped ? "not_run" : upper === "U" ? "unsupported" : upper === "Y" ? "flaky" : upper === "E" ? "errors" : "failed"]++;
  return made;
}

// The worst of some letters; in lower case if one of them is not as announced.
function worst(letters) {
  if (!letters.length) return "";
  const most = letters.map(letter => letter.toUpperCase()).reduce((a, b) => RANK[b] > RANK[a] ? b : a);
  return letters.some(letter => letter !== letter.toUpperCase()) ? most.toLowerCase() : most;
}

// What a cell shows of a count at a level: a state for its colour, a sign, numbers, and all in words.
function face(count, level) {
  const plain = (good, bad, none, extra = []) => {
    const all = good + bad + none + extra.reduce((n, [, m]) => n + m, 0);
    const state = !all ? "none" : none === all ? "unrun" : bad ? (good >= Math.max(1, bad) ? "mixed" : "bad") : extra.some(([, m]) => m) ? "partial" : none ? "gaps" : "good";
    return {good, all, state, marks: [["✗", bad, "fail"], ...extra, ["◌", none, "not run"]].filter(([, number]) => number)};
  };
  let made;
  if (level === MUST) {
    made = plain(count.passed, count.failed, count.not_run, [["∅", count.unsupported, "unsupported"], ["≈", count.flaky, "flaky"], ["!", count.errors, "in error"]]);
    if (count.errors || count.flaky) made.state = count.passed ? "mixed" : "bad";
    if (["good", "gaps", "none"].includes(made.state) && count.runs_failed) {
      made.state = "partial";
      made.marks.push(["✗", count.runs_failed, count.runs_failed > 1 ? "runs did not end as asked" : "run did not end as asked", "run"]);
    }
  } else if (level === SHOULD) made = plain(count.should_passed, count.should_failed, count.should_not_run);
  else if (level === RUN) made = plain(count.runs - count.runs_failed, count.runs_failed, count.runs_not_run);
  else {
    made = plain(count.values, 0, count.values_not_run, [["✗", count.values_lost, "not reported"]]);
    if (made.state === "good") made.state = "recorded";
  }
  made.sign = {none: "", unrun: "–", bad: "✗", mixed: "✗", partial: "◐", gaps: "◌", good: "✓", recorded: "·"}[made.state];
  const unit = {[MUST]: "MUST pass", [SHOULD]: "SHOULD hold", [RECORDED]: "values recorded", [RUN]: "runs ended as asked"}[level];
  made.words = made.all ? [`${made.good} of ${made.all} ${unit}`, ...made.marks.map(([, n, word]) => `${n} ${word}`), ...(count.unexpected ? [`${count.unexpected} not as announced`] : [])].join(", ") : `no ${LEVEL_WORDS[level]}`;
  made.unexpected = count.unexpected;
  return made;
}

// The rows of a file of an interface, as rows.py has packed them.
function unpack(file) {
  return file.rows.map(([fn, requirement, level, since, words, checks]) => ({
    interface: file.name,
    function: fn < 0 ? "" : file.functions[fn],
    requirement, level, since, words,
    checks: checks.map(([place, string, tuple, groups]) => ({
      case: file.cases[place],
      base: file.strings[string],
      at: tuple ? file.tuples[tuple - 1].map(n => n < 0 ? "" : file.strings[n]) : [],
      groups: groups || "",
    })),
  }));
}

// The letter of a check in a column: that of the case itself, or at a version; "" where there is none.
const letterAt = (check, column) => column.version < 0 ? check.base[column.runtime] || "." : (check.at[column.version] || "")[column.runtime] || "";

// A row as a query sees it.
function subject(row, check, version) {
  const results = (string, at) => Array.from(string, (letter, runtime) => ({letter, runtime, version: at}));
  const told = new Set(Array.from(check.base.toUpperCase()).filter(letter => letter !== "S" && letter !== "."));
  return {
    interface: row.interface, package: row.interface.split("/")[0], function: row.function, requirement: row.requirement,
    level: row.level, since: row.since, words: row.words, case: check.case,
    differs: told.size > 1 || check.groups !== "",
    results: all => all ? check.at.flatMap(results) : version < 0 ? results(check.base, -1) : results(check.at[version] || "", version),
  };
}

// The count of a row in a column. A requirement counts once, by its worst check. At a version, each check of a case or
// variant counts, and how its run ended counts like a MUST: this is the table of versions of the report.
function countRow(row, column) {
  const letters = row.checks.map(check => letterAt(check, column)).filter(Boolean);
  if (column.version >= 0) return sum(letters.map(letter => countLetter(letter, row.level === RUN ? MUST : row.level)));
  if (row.level === MUST || row.level === SHOULD) return letters.length ? countLetter(worst(letters), row.level) : total([]);
  return sum(letters.map(letter => countLetter(letter, row.level)));
}
