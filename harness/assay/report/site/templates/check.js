// The page of a requirement on a function, and the page of a case.

async function requirementPage(place, fn, id) {
  const [full] = S.interfaces[place], path = interfacePath(full);
  const row = (await loadRows([place])).find(one => one.requirement === id && (one.function === fn || lean(one.function) === fn));
  if (!row) return missing(`The record has no requirement ${id} on ${fn} of ${full}.`);
  const cases = row.checks.map(check => check.case);
  const bad = row.checks.find(check => /[^PS.]/.test(check.base)) || row.checks[0];
  const chosen = cases.includes(R.of.case) ? R.of.case : bad.case;
  const data = new CaseData(await loadCase(chosen)), check = data.checks.find(one => one.id === id);
  if (!check) return missing(`The data of ${chosen} has no requirement ${id}.`);
  const recorded = row.level === RECORDED;
  return {
    title: id, crumbs: [[[path[0]], path[0]], [path, short(full)], [[...path, row.function], row.function]],
    body: [
      h("p", {class: "meta"}, level_tag(check.level), ` ${check.function}`, h("span", {class: "dim"}, ` since ${check.since}`)),
      requirement(data, check),
      divergence((data.file.divergences || {})[id]),
      cases.length > 1 ? caseChoice(row, chosen) : null,
      h("h2", null, "In ", link(href(["case", ...chosen.split("/")], {}), code(chosen))),
      dim(data.file.title),
      sideBySide(data, check.units, recorded),
      await history(data, id),
      versionStrip(row, chosen),
      h("h2", null, "Again"), again(data),
      runDetails(data),
    ],
  };
}

// The cases that check a requirement, one row each.
function caseChoice(row, chosen) {
  const shown = columns().map(column => ({...column, version: -1}));
  const lines = row.checks.map(check => ({
    head: h("a", {href: here({case: check.case}), "aria-current": check.case === chosen ? "true" : null}, code(check.case)),
    cells: shown.map(column => rowCell({...row, checks: [check]}, column, {wide: shown.length <= 5})),
  }));
  return [h("h2", null, `${plural(lines.length, "case")} check it`.replace("case check", "case checks")), matrix("Cases", "case", shown, [lines])];
}

// Runtime by version, where the case has variants.
function versionStrip(row, chosen) {
  const check = row.checks.find(one => one.case === chosen);
  if (!check.at.some(Boolean)) return null;
  const shown = S.versions.map((name, version) => ({name, version})).filter(({version}) => check.at[version]);
  const lines = S.runtimes.map((one, runtime) => ({head: one.name, cells: shown.map(({version, name}) => {
    const own = `${chosen}@${name}`;
    return letterCell(check.at[version][runtime], {to: check.at[version] !== check.base && "PS.".indexOf(check.at[version][runtime]) < 0 ? href(["case", ...own.split("/")], {}) : ""});
  })}));
  return [h("h2", null, "Versions"), dim("The same component as if it had been built against another version of WASI, or on a kernel without openat2."), matrix("Versions", "runtime", shown, [lines])];
}

function runDetails(data) {
  return [
    h("h2", null, "Host calls"), trace(data),
    data.made.outputs ? h("h2", null, "Outputs") : null, (data.made.outputs || []).map(one => output(data, one)),
    h("h2", null, "The case"), data.made.notes === undefined ? null : h("p", {class: "notes"}, data.text(data.made.notes)),
    dim(data.text(data.made.file), data.made.sum ? `, SHA-256 ${data.made.sum}…` : "", data.made.built ? `, built against ${data.made.built}` : "", (data.made.about || []).length ? `, about ${data.made.about.map(data.text).join(", ")}` : "", data.made.differ ? `; the runtimes differ in ${data.made.differ.map(data.text).join(", ")}` : ""),
  ];
}

// A case with all of its checks; `id@VERSION` is its variant against that version.
async function casePage(id) {
  let data;
  const original = id.split("@")[0];
  try {
    data = new CaseData(await loadCase(original));
  } catch {
    return missing(`The record has no case ${original}.`);
  }
  const variant = id === original ? null : (data.made.variants || []).find(one => data.text(one.id) === id);
  if (id !== original && !variant) return missing(`The record has no variant ${id}.`);
  if (variant) return variantPage(data, variant, id);
  const heads = await checkHeads(data);
  const shown = columns().map(column => ({...column, version: -1}));
  const letters = unit => shown.map(({runtime}) => {
    const {letter, unexpected} = data.unit(unit[runtime]);
    return letterCell(unexpected ? letter.toLowerCase() : letter, {wide: shown.length <= 5});
  });
  const values = check => shown.map(({runtime}) => {
    const {value, letter} = data.unit(check.units[runtime]);
    return value === null ? letterCell(letter) : h("td", null, h("code", {class: "value"}, value.length > 40 ? `${value.slice(0, 40)}…` : value || "(empty)"));
  });
  const rows = data.checks.map(check => ({head: [heads(check), " ", level_tag(check.level), h("div", {class: "words"}, prose(check.words))], cells: check.level === "unspecified" ? values(check) : letters(check.units)}));
  return {
    title: id, crumbs: [[["cases"], "cases"]],
    body: [
      h("p", {class: "ours"}, data.file.title),
      h("h2", null, "The run as a whole"), sideBySide(data, data.end, false), await history(data, "@expect"),
      rows.length ? [h("h2", null, plural(rows.length, "check")), matrix("Checks", "check", shown, [rows])] : dim("The case has no checks: how it ends is all that is judged."),
      h("h2", null, "Again"), again(data), runDetails(data), variants(data),
    ],
  };
}

// A check of a case leads to the page of its requirement.
async function checkHeads(data) {
  return check => {
    const dot = check.function.indexOf(".", check.function.indexOf("/") + 1), full = check.function.slice(0, dot), fn = check.function.slice(dot + 1);
    const known = S.interfaces.some(([name]) => name === full);
    return known ? link(href([...interfacePath(full), fn, check.id], {case: data.id}, {}), code(check.id)) : code(check.id);
  };
}

function variants(data) {
  const all = data.made.variants || [];
  if (!all.length) return null;
  const shown = columns().map(column => ({...column, version: -1}));
  const rows = all.map(made => {
    const id = data.text(made.id);
    return {head: link(href(["case", ...id.split("/")], {}), id.split("@")[1]), cells: shown.map(({runtime}) => letterCell(data.run(runtime, made)?.letter || "."))};
  });
  return [h("h2", null, "Variants"), dim("The same component with the versions of WASI in its names rewritten, or on a kernel without openat2."), matrix("Variants", "variant", shown, [rows])];
}

function variantPage(data, made, id) {
  const one = new CaseData({...data.file, case: {outputs: [], ...made, argv: null}});
  const heads = one.checks.map(check => [check, check.units.map(n => one.unit(n))]).filter(([, units]) => units.some(unit => unit.letter !== "P"));
  const original = data.id;
  return {
    title: id, crumbs: [[["cases"], "cases"], [["case", ...original.split("/")], original]],
    body: [
      h("p", {class: "ours"}, data.file.title), dim("A variant of ", link(href(["case", ...original.split("/")], {}), code(original)), "."),
      h("h2", null, "The run as a whole"), sideBySide(one, one.end, false),
      h("h2", null, heads.length ? "Checks that do not pass everywhere" : `All of its ${plural(one.checks.length, "check")} pass`),
      heads.map(([check]) => h("section", null, h("h3", null, code(check.id), " ", level_tag(check.level)), h("p", null, prose(check.words)), sideBySide(one, check.units, check.level === "unspecified"))),
      h("h2", null, "Again"), again(one), one.made.outputs.length ? h("h2", null, "Outputs that are not those of the case") : null, one.made.outputs.map(block => output(one, block)),
    ],
  };
}
