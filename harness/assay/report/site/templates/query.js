"use strict";
// The language of the query box: terms, free text, and, or, not, parentheses; any(…), all(…), none(…).
//
// in:  a query, and the names of the runtimes and versions
// out: {match(row), hits(row), keys}, or {error, at}. A row is one check of one case, as `subject` in count.js makes it.
//
// The terms of a query are about the same result: `runtime:jco verdict:fail` is a check that fails on jco. Parentheses
// with a `runtime:` inside are about a result of their own: `(runtime:jco verdict:fail) (runtime:wasmtime verdict:pass)`,
// or in short `jco:fail wasmtime:pass`. A query without `version:` is about the cases themselves, not their variants.
const assayQuery = (() => {
  const VERDICTS = {pass: "P", skip: "S", unsupported: "U", flaky: "Y", fail: "F", timeout: "T", crash: "C", error: "E", none: "."};
  const LEVELS = {must: 0, should: 1, recorded: 2, unspecified: 2, run: 3};
  const OF_ROW = ["level", "function", "interface", "package", "requirement", "case", "differs", "since"];
  const OF_RESULT = ["runtime", "verdict", "unexpected", "version"];
  const KEYS = [...OF_RESULT, ...OF_ROW];
  class QueryError extends Error {
    constructor(message, at) {
      super(message);
      this.at = at;
    }
  }

  function tokens(text) {
    const found = [], word = /(?:"[^"]*"|[^\s()"])+/y;
    for (let at = 0; at < text.length;) {
      if (/\s/.test(text[at])) at++;
      else if ("()".includes(text[at])) found.push({sign: text[at], at: at++});
      else if ("-!".includes(text[at]) && at + 1 < text.length && !/\s/.test(text[at + 1])) found.push({sign: "not", at: at++});
      else {
        word.lastIndex = at;
        const match = word.exec(text);
        if (!match) throw new QueryError("a quotation mark is not closed", at);
        const raw = match[0], low = raw.toLowerCase();
        const quantified = ["any", "all", "none"].includes(low) && text[word.lastIndex] === "(";
        if (["and", "or", "not"].includes(low)) found.push({sign: low, at});
        else found.push(quantified ? {sign: low, at} : {word: raw, at});
        at = word.lastIndex;
      }
    }
    return found;
  }

  const glob = text => new RegExp("^" + text.split("*").map(part => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*") + "$", "i");
  const contains = wanted => wanted.includes("*") ? value => glob(wanted).test(value) : value => value.toLowerCase().includes(wanted.toLowerCase());
  const either = tests => value => tests.some(test => test(value));

  function oneOf(key, values, table, at) {
    const letters = values.map(value => {
      const negative = value.startsWith("!"), name = value.replace(/^!/, "").toLowerCase();
      if (!Object.hasOwn(table, name)) throw new QueryError(`${key}: no ${name || "empty word"}; there are ${Object.keys(table).join(", ")}`, at);
      return [negative, table[name]];
    });
    return found => letters.some(([negative, letter]) => (letter === found) !== negative);
  }

  function named(key, values, names, at) {
    const places = values.map(value => {
      const negative = value.startsWith("!"), name = value.replace(/^!/, ""), test = glob(name);
      const mine = names.flatMap((one, place) => test.test(one) ? [place] : []);
      if (!mine.length) throw new QueryError(`${key}: no ${name || "empty word"}; there are ${names.join(", ") || "none"}`, at);
      return place => mine.includes(place) !== negative;
    });
    return either(places);
  }

  function yes(key, value, at) {
    if (!["yes", "no"].includes(value.toLowerCase())) throw new QueryError(`${key}: yes or no`, at);
    return value.toLowerCase() === "yes";
  }

  const EVERYWHERE = row => [row.interface, row.function, row.requirement, row.case, row.words];
  const lean = name => name.replace(/\[[^\]]*\]/g, "");

  // A test (row, result) of a term. A result is {letter, runtime, version}; runtime and version are places.
  function test(key, value, at, names) {
    const values = value.split(",").filter(Boolean);
    if (!values.length) throw new QueryError(`${key}: a word is missing`, at);
    switch (key) {
      case "verdict": { const is = oneOf(key, values, VERDICTS, at); return (row, result) => is(result.letter.toUpperCase()); }
      case "runtime": { const is = named(key, values, names.runtimes, at); return (row, result) => is(result.runtime); }
      case "version": { const is = named(key, values, names.versions, at); return (row, result) => is(result.version); }
      case "unexpected": { const wanted = yes(key, value, at); return (row, {letter}) => (letter !== letter.toUpperCase()) === wanted; }
      case "level": { const is = oneOf(key, values, LEVELS, at); return row => is(row.level); }
      case "differs": { const wanted = yes(key, value, at); return row => row.differs === wanted; }
      case "function": { const is = either(values.map(contains)); return row => is(row.function) || is(lean(row.function)); }
      default: { const is = either(values.map(contains)); return row => is(row[key]); }
    }
  }

  function parse(text, names) {
    const list = tokens(text);
    let next = 0;
    const peek = () => list[next], end = text.length;

    function alternatives() {
      const found = [conjunction()];
      while (peek()?.sign === "or") {
        next++;
        found.push(conjunction());
      }
      return found.length === 1 ? found[0] : {op: "or", of: found};
    }
    function conjunction() {
      const found = [unary()];
      while (peek() && peek().sign !== ")" && peek().sign !== "or") {
        if (peek().sign === "and") next++;
        found.push(unary());
      }
      return found.length === 1 ? found[0] : {op: "and", of: found};
    }
    function unary() {
      const token = peek();
      if (!token || token.sign === ")" || token.sign === "or" || token.sign === "and") {
        throw new QueryError(token ? `a term is missing before "${token.sign}"` : "a term is missing at the end", token ? token.at : end);
      }
      next++;
      if (token.sign === "not") return {op: "not", of: unary()};
      if (token.sign === "(") return group(token, null);
      if (token.sign) {
        const open = list[next++];
        return group(open, token.sign);
      }
      return term(token);
    }
    function group(open, quantifier) {
      if (peek()?.sign === ")") throw new QueryError("there is nothing between the parentheses", open.at);
      const inner = alternatives();
      if (peek()?.sign !== ")") throw new QueryError("a parenthesis is not closed", open.at);
      next++;
      return quantifier || mentions(inner, "runtime") ? scope(quantifier || "any", inner) : inner;
    }
    function term({word, at}) {
      const quote = word.indexOf('"'), colon = word.indexOf(":");
      if (colon < 0 || (quote >= 0 && quote < colon)) {
        const wanted = word.replaceAll('"', "").toLowerCase();
        return {op: "term", key: "text", test: row => EVERYWHERE(row).some(one => one.toLowerCase().includes(wanted))};
      }
      const key = word.slice(0, colon).toLowerCase(), value = word.slice(colon + 1).replaceAll('"', "");
      if (KEYS.includes(key)) return {op: "term", key, test: test(key, value, at, names)};
      const runtime = names.runtimes.findIndex(name => name.toLowerCase() === key);
      if (runtime >= 0) {
        const verdict = {op: "term", key: "verdict", test: test("verdict", value, at, names)};
        return scope("any", {op: "and", of: [{op: "term", key: "runtime", test: (row, result) => result.runtime === runtime}, verdict]});
      }
      if (key === "wasi") return {op: "term", key: "text", test: row => EVERYWHERE(row).some(one => one.toLowerCase().includes(word.toLowerCase()))};
      throw new QueryError(`${key}: is no key; there are ${KEYS.join(", ")}, and the names of the runtimes`, at);
    }

    const whole = alternatives();
    if (peek()) throw new QueryError('there is no "(" before this ")"', peek().at);
    return whole;
  }

  const scope = (quantifier, of) => ({op: "scope", quantifier, of, versions: mentions(of, "version")});
  function mentions(node, key) {
    if (node.op === "term") return node.key === key;
    if (node.op === "scope") return false;
    return (Array.isArray(node.of) ? node.of : [node.of]).some(one => mentions(one, key));
  }
  // Whether it is about results at all, outside of scopes of their own.
  const open = node => OF_RESULT.some(key => mentions(node, key));

  function holds(node, row, result) {
    switch (node.op) {
      case "and": return node.of.every(one => holds(one, row, result));
      case "or": return node.of.some(one => holds(one, row, result));
      case "not": return !holds(node.of, row, result);
      case "term": return node.test(row, result);
      default: {
        const results = row.results(node.versions);
        if (node.quantifier === "all") return results.length > 0 && results.every(one => holds(node.of, row, one));
        return results.some(one => holds(node.of, row, one)) === (node.quantifier === "any");
      }
    }
  }

  const NOWHERE = {letter: ".", runtime: -1, version: -1};
  function compile(text, names) {
    if (!text.trim()) return {match: () => true, hits: () => [], empty: true, levels: []};
    let tree;
    try {
      tree = parse(text, names);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return {error: error.message, at: error.at};
    }
    const bound = open(tree), versions = mentions(tree, "version");
    return {
      match: row => bound ? row.results(versions).some(result => holds(tree, row, result)) : holds(tree, row, NOWHERE),
      // The places of the runtimes on which the row matches; none where the query is not about one result.
      hits: row => bound ? [...new Set(row.results(versions).filter(result => holds(tree, row, result)).map(result => result.runtime))] : [],
      empty: false,
    };
  }
  return {compile, KEYS, VERDICTS, LEVELS};
})();
if (typeof module === "object") module.exports = assayQuery;
