// Reads AsyncAPI documents with AsyncAPI's own parser. Reads a JSON array of texts from standard input; writes a JSON array:
// for each its version, numbers of operations, and the errors. Run with a folder that has `@asyncapi/parser` in its
// node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.argv[2]}/`);
const { Parser } = require("@asyncapi/parser");
const parser = new Parser();
const results = [];
for (const source of JSON.parse(readFileSync(0, "utf8"))) {
  const { document, diagnostics } = await parser.parse(source);
  results.push({
    version: document?.version(),
    operations: document?.operations().all().length,
    // Severity 0 is an error.
    errors: diagnostics.filter((each) => each.severity === 0).map((each) => `${each.path.join(".")}: ${each.message}`),
  });
}
process.stdout.write(JSON.stringify(results));
