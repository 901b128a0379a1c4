// A page is a path and some parameters after the #: every state of the site is a link.
//
//   #/                                              the matrix
//   #/wasi:io   #/wasi:io/streams                   a package, an interface
//   #/wasi:io/streams/FUNCTION/REQUIREMENT          a function, a requirement on it
//   #/case/ID   #/cases   #/agreement   #/history   #/help
//
//   q= a query   level= must, should, recorded, run   version= a version   by=version&runtime= columns are versions
//   runtimes= the columns that are shown   case= the case of a requirement
const PARAMETERS = ["q", "level", "version", "by", "runtime", "runtimes", "case"];

function decode(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text; // a % that somebody typed
  }
}

// What a fragment need not escape stays readable.
const encode = text => encodeURIComponent(text).replace(/%(3A|2C|40|5B|5D|21)/g, decodeURIComponent).replaceAll("%20", "+");

function parseRoute(hash) {
  const [path, ...rest] = hash.replace(/^#?\/?/, "").split("?");
  const route = {path: path.split("/").filter(Boolean).map(decode), of: {}};
  for (const pair of rest.join("?").split("&")) {
    const [name, ...value] = pair.split("=");
    if (PARAMETERS.includes(name) && value.join("=")) route.of[name] = decode(value.join("="));
  }
  return route;
}

// `changed` sets parameters, or removes those that are empty. What belongs to one page is not carried to another.
function href(path, changed = {}, from = R.of) {
  const kept = {...from, case: "", ...changed};
  const words = PARAMETERS.filter(name => kept[name]).map(name => `${name}=${encode(kept[name])}`);
  return `#/${path.map(encode).join("/")}${words.length ? `?${words.join("&")}` : ""}`;
}

const here = changed => href(R.path, {case: R.of.case, ...changed});

// An interface is two words of a path; one whose name has no slash is a package of its own.
const interfacePath = name => name.includes("/") ? name.split("/").slice(0, 2) : [name, "-"];
const placeOf = (one, two) => S.interfaces.findIndex(([name]) => name === (two === "-" ? one : `${one}/${two}`));
const short = name => name.includes("/") ? name.slice(name.indexOf("/") + 1) : name;
const lean = name => name.replace(/^\[[^\]]*\]/, "");
