// marked: turns /in/text.md into /out/text.html.
import { marked } from "./package.js";
import { print, readText, writeText } from "./host.js";

export const run = {
  run() {
    const source = readText("text.md");
    const html = marked.parse(source);
    writeText("text.html", html);
    print(`${source.length} characters of Markdown, ${html.length} of HTML`);
  },
};
