import { readFileSync } from "node:fs";
import { settingsTable } from "@devicemesh/kit/settings/define-settings";
import { expect, it } from "vitest";
import { querySettings } from "./settings.ts";

it("has its table of settings in the README", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(settingsTable(querySettings).trim());
});
