// Elements are made by `h`, with text only: nothing of a record is ever read as HTML.
const $ = id => document.getElementById(id);

function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  add(made, children);
  return made;
}

function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false && child !== "") parent.append(child);
  }
}

const link = (to, ...children) => h("a", {href: to}, ...children);
const code = text => h("code", null, breakable(text));
const dim = (...children) => h("p", {class: "dim"}, ...children);
const sr = text => h("span", {class: "sr"}, text);
const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

// A long name may be broken after its dots and slashes.
function breakable(text) {
  const parts = String(text).split(/(?<=[./:])(?=[^./:])/);
  return parts.flatMap((part, i) => i ? [h("wbr"), part] : [part]);
}

// Words of the catalogue: what is between backticks is code.
const prose = text => String(text).split("`").map((part, i) => i % 2 ? code(part) : part);

// An address of a record becomes a link only where it is one of the web.
function outside(address, text) {
  return /^https:\/\/[^\s]+$/.test(address) ? h("a", {href: address, rel: "noreferrer noopener external"}, text || address.replace(/^https:\/\//, "")) : address;
}

// A box that scrolls can be reached by keyboard, and has a name.
const scroll = (label, ...children) => h("div", {class: "scroll", role: "region", "aria-label": label, tabindex: 0}, ...children);

function copyable(text, label) {
  const said = h("span", {class: "dim", role: "status"});
  const button = h("button", {type: "button", class: "copy", "aria-label": `Copy the command for ${label}`, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(box);
      said.textContent = "selected";
    }
  }}, "Copy");
  const box = h("code", null, text);
  return h("div", {class: "command"}, box, button, said);
}
