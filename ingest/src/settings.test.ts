import { readFileSync } from "node:fs";
import { settingsTable } from "@devicemesh/kit/settings/define-settings";
import { expect, it } from "vitest";
import { ingestSettings } from "./settings.ts";

it("the README's settings are the schema's", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(settingsTable(ingestSettings).trim());
});
