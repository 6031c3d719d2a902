import { describe, expect, expectTypeOf, it } from "vitest";
import { defineSettings, loadSettings, type Setting, type SettingsOf } from "./define-settings.ts";

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
      "a default that is not a choice",
      { a: { ...setting, kind: "string", default: "x", choices: ["y"] } },
      'the default of --a: "x" is not one of y',
    ],
    [
      "a default that cannot be read",
      { a: { ...setting, kind: "duration", default: "soon" } },
      '"soon" is not a duration',
    ],
  ])("rejects %s", (_, settings, message) => {
    expect(() => defineSettings({ prefix: "A_", settings })).toThrow(message);
  });

  it("accepts an empty text for a setting that is empty by default", () => {
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

describe("a setting of kind strings", () => {
  const definition = defineSettings({
    prefix: "EXAMPLE_",
    positionals: { max: Number.POSITIVE_INFINITY, placeholder: "FILES" },
    settings: {
      map: {
        flag: "--map",
        env: "EXAMPLE_MAP",
        kind: "strings",
        placeholder: "COLUMN=TARGET",
        description: "What a column is; repeatable.",
      },
    },
  });

  it("accepts its flag any number of times, and a variable with one value on each line", () => {
    const valuesOf = (args: string[], env = {}) => loadSettings(definition, { args, env });
    expect(valuesOf([])).toMatchObject({ values: { map: [] } });
    expect(valuesOf(["--map", "a=time", "x", "--map=b=-", "y"])).toMatchObject({
      values: { map: ["a=time", "b=-"] },
      positionals: ["x", "y"],
    });
    expect(valuesOf([], { EXAMPLE_MAP: "a=time\nb=-\n" })).toMatchObject({
      values: { map: ["a=time", "b=-"] },
    });
    expect(valuesOf(["--map", "--help"])).toMatchObject({ kind: "help" });
    expect(valuesOf(["--map"])).toMatchObject({
      kind: "problems",
      text: expect.stringContaining("--map: needs"),
    });
  });

  it("knows its type", () => {
    expectTypeOf<SettingsOf<typeof definition>>().toEqualTypeOf<{ readonly map: readonly string[] }>();
  });
});
