// The site: shows the page that the address names, and keeps the box, the theme and the focus.
let S = null, R = {path: [], of: {}}, Q = assayQuery.compile("", {runtimes: [], versions: []}), turn = 0;

const go = to => { location.hash = to.slice(1); };

function pageOf(path) {
  const [first, second, ...rest] = path;
  switch (first) {
    case undefined: return homePage();
    case "case": return casePage([second, ...rest].join("/"));
    case "cases": return casesPage();
    case "agreement": return agreementPage();
    case "history": return historyPage();
    case "others": return othersPage();
    case "help": return helpPage();
    default:
  }
  if (second === undefined) return packagePage(first);
  const place = placeOf(first, second);
  if (place < 0) return missing(`The record has nothing about an interface ${first}/${second}.`);
  return rest.length < 2 ? interfacePage(place, rest[0]) : requirementPage(place, rest[0], rest[1]);
}

const PLAIN = ["cases", "case", "agreement", "history", "others", "help"];

async function show(focus) {
  const mine = ++turn;
  R = parseRoute(location.hash);
  const text = R.of.q || "";
  Q = PLAIN.includes(R.path[0]) || R.path.length > 3 ? assayQuery.compile("", {}) : assayQuery.compile(text, {runtimes: S.runtimes.map(one => one.name), versions: S.versions});
  const error = Q.error ? `${Q.error} (at character ${Q.at + 1})` : "";
  if (Q.error) Q = assayQuery.compile("", {});
  tools(text, error);
  let page;
  const slow = setTimeout(() => $("main").setAttribute("aria-busy", "true"), 150);
  try {
    page = await pageOf(R.path);
  } catch (problem) {
    page = {title: "This page cannot be shown", crumbs: [], body: [h("p", null, String(problem.message || problem)), h("p", null, link("#/", "To the matrix"))]};
  }
  clearTimeout(slow);
  if (mine !== turn) return; // another page was asked for meanwhile
  const heading = h("h1", {tabindex: -1}, breakable(page.title));
  $("main").removeAttribute("aria-busy");
  $("main").replaceChildren(...[page.crumbs.length ? crumbs(page.crumbs) : null, heading].filter(Boolean));
  add($("main"), [page.body]);
  document.title = `${page.title} · WASI 0.2 conformance`;
  $("said").textContent = page.said || "";
  if (focus) {
    scrollTo(0, 0);
    heading.focus({preventScroll: true});
  }
  document.documentElement.dataset.ready = location.hash;
}

function crumbs(list) {
  return h("nav", {class: "crumbs", "aria-label": "Breadcrumb"}, h("ol", null, [[[], "all"], ...list].map(([path, text]) => h("li", null, link(href(path), breakable(text))))));
}

// The query box. It stays the same element, so that it keeps the focus.
let box = null;
function tools(text, error) {
  if (!box) {
    const input = h("input", {type: "search", id: "query", autocomplete: "off", autocapitalize: "none", spellcheck: "false", "aria-describedby": "query-error", placeholder: "runtime:jco verdict:fail level:must function:open-at"});
    const form = h("form", {role: "search", onsubmit: event => {
      event.preventDefault();
      asked(input.value);
    }}, h("label", {for: "query"}, "Search"), input, h("button", {type: "submit"}, "Go"), link("#/help", "How to search"));
    box = {input, form, error: h("p", {id: "query-error", class: "error", role: "alert"})};
    $("tools").append(form, box.error);
    input.addEventListener("input", () => { if (!input.value) asked(""); });
  }
  if (document.activeElement !== box.input || !box.input.value.trim() || text) box.input.value = text;
  box.error.textContent = error;
  box.input.toggleAttribute("aria-invalid", !!error);
}

// Searches the page that is shown, or everything from a page that has nothing to search.
function asked(q) {
  const everywhere = R.path[0] !== "cases" && (PLAIN.includes(R.path[0]) || R.path.length > 3);
  const to = href(everywhere ? [] : R.path, {q: q.trim(), level: "", case: ""});
  if (to === location.hash) show(false);
  else go(to);
}

const THEMES = ["system", "light", "dark"];
function theme() {
  const button = $("theme");
  const set = word => {
    if (word === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = word;
    button.textContent = `Theme: ${word}`;
    try {
      localStorage.setItem("assay-theme", word);
    } catch { /* it is not kept */ }
  };
  let word = "system";
  try {
    word = localStorage.getItem("assay-theme") || word;
  } catch { /* it was not kept */ }
  set(THEMES.includes(word) ? word : "system");
  button.hidden = false;
  button.addEventListener("click", () => set(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || "system") + 1) % THEMES.length]));
}

async function start() {
  theme();
  try {
    S = await load("summary");
  } catch (problem) {
    $("main").prepend(h("p", {class: "error", role: "alert"}, `${problem.message}: the folder of the site is not whole.`));
    return;
  }
  $("nav").append(h("ul", null, [["", "Matrix"], ["cases", "Cases"], ["agreement", "Who agrees"], ["others", "Scripts"], ...(S.runs ? [["history", "Runs"]] : []), ["help", "Help"]].map(([path, text]) => h("li", null, link(`#/${path}`, text)))));
  document.querySelector(".skip").addEventListener("click", event => {
    event.preventDefault(); // the fragment is the page
    $("main").focus();
  });
  addEventListener("hashchange", () => show(document.activeElement !== box.input));
  addEventListener("keydown", event => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    event.preventDefault();
    box.input.focus();
    box.input.select();
  });
  const closed = new Set();
  addEventListener("beforeprint", () => document.querySelectorAll("main details:not([open])").forEach(one => { closed.add(one); one.open = true; }));
  addEventListener("afterprint", () => { closed.forEach(one => { one.open = false; }); closed.clear(); });
  await show(false);
}

start();
