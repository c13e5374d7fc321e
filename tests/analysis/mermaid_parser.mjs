// Parses Mermaid diagrams with Mermaid itself. Reads a JSON array of sources from standard input; writes a JSON array: for
// each its type, or the error. Run with a folder that has `mermaid` and `jsdom` in its node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("<!doctype html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import(pathToFileURL(require.resolve("mermaid")));
mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
const results = [];
for (const source of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    results.push({ type: (await mermaid.parse(source)).diagramType });
  } catch (error) {
    results.push({ error: String(error.message ?? error).slice(0, 500) });
  }
}
process.stdout.write(JSON.stringify(results));
