import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { constantsText, needsText, referenceFleets } from "./model-text.ts";

const page = readFileSync(new URL("../../../docs/scale.md", import.meta.url), "utf8");

it.each([
  ["needs", needsText(referenceFleets)],
  ["constants", constantsText()],
])("docs/scale.md has the table of %s that the model prints", (name, text) => {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)\n<!-- /${name} -->`).exec(page)?.[1];
  expect(found).toBe(text);
});
