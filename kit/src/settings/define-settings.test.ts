import { describe, expect, it } from "vitest";
import { defineSettings, loadSettings, type Setting } from "./define-settings.ts";

describe("defineSettings", () => {
  const setting = { flag: "--a", env: "A_A", kind: "integer", description: "a" } as const;

  it.each<[string, Record<string, Setting>, string]>([
    ["a flag that is there twice", { a: setting, b: { ...setting, env: "A_B" } }, "--a is defined twice"],
    [
      "a variable that is there twice",
      { a: setting, b: { ...setting, flag: "--b" } },
      "A_A is defined twice",
    ],
    ["--help", { a: { ...setting, flag: "--help" } }, "--help is defined twice"],
    ["a variable without the prefix", { a: { ...setting, env: "B_A" } }, "B_A does not begin with A_"],
    ["a default outside its bounds", { a: { ...setting, default: 1, minimum: 2 } }, "the default of --a"],
    [
      "a default that is no choice",
      { a: { ...setting, kind: "string", default: "x", choices: ["y"] } },
      'the default of --a: "x" is not one of y',
    ],
    [
      "a default that cannot be read",
      { a: { ...setting, kind: "duration", default: "soon" } },
      '"soon" is not a duration',
    ],
  ])("refuses %s", (_, settings, message) => {
    expect(() => defineSettings({ prefix: "A_", settings })).toThrow(message);
  });

  it("takes an empty text for a setting that is empty by default", () => {
    const prefix = {
      flag: "--name-prefix",
      env: "EXAMPLE_NAME_PREFIX",
      kind: "string",
      default: "",
      description: "Stands before names.",
    } as const;
    const definition = defineSettings({ prefix: "EXAMPLE_", settings: { prefix } });
    for (const args of [[], ["--name-prefix", ""], ["--name-prefix="]]) {
      expect(loadSettings(definition, { args, env: {} })).toMatchObject({ values: { prefix: "" } });
    }
  });
});
