import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { defineSettings, loadSettings, type SettingsOf, settingsTable } from "./define-settings.ts";

const definition = defineSettings({
  prefix: "EXAMPLE_",
  usage: "npm start -- [flags] [file]",
  summary: "Serves an example.",
  positionals: { max: 1, placeholder: "file" },
  foreignEnv: ["EXAMPLE_OF_ANOTHER"],
  settings: {
    port: {
      flag: "--port",
      env: "EXAMPLE_PORT",
      kind: "integer",
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      description: "Port to listen on.",
    },
    rate: { flag: "--rate", env: "EXAMPLE_RATE", kind: "number", description: "Calls a second." },
    folder: {
      flag: "--folder",
      env: "EXAMPLE_FOLDER",
      kind: "string",
      default: "./data",
      placeholder: "path",
      description: "Where to write.",
    },
    origin: { flag: "--origin", env: "EXAMPLE_ORIGIN", kind: "string", description: "Who may call." },
    level: {
      flag: "--level",
      env: "EXAMPLE_LEVEL",
      kind: "string",
      default: "info",
      choices: ["info", "warn"],
      description: "How much to log.",
    },
    quiet: { flag: "--no-noise", env: "EXAMPLE_NO_NOISE", kind: "boolean", description: "Makes no noise." },
    timeout: {
      flag: "--timeout",
      env: "EXAMPLE_TIMEOUT",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      description: "How long to wait.",
    },
    retention: {
      flag: "--retention",
      env: "EXAMPLE_RETENTION",
      kind: "duration",
      default: "7d",
      optional: true,
      description: "How long to keep.",
    },
    memory: { flag: "--memory", env: "EXAMPLE_MEMORY", kind: "bytes", description: "How much to use." },
  },
});

const load = (args: string[], env: Record<string, string | undefined> = {}) =>
  loadSettings(definition, { args, env });

function valuesOf(args: string[], env: Record<string, string | undefined> = {}) {
  const loaded = load(args, env);
  if (loaded.kind !== "settings") {
    throw new Error(loaded.text);
  }
  return loaded.values;
}

function problemsOf(args: string[], env: Record<string, string | undefined> = {}): string[] {
  const loaded = load(args, env);
  if (loaded.kind !== "problems") {
    throw new Error(`no problems but ${loaded.kind}`);
  }
  const lines = loaded.text.split("\n");
  expect(lines.slice(-2)).toEqual(["--help lists what there is.", ""]);
  return lines.slice(0, -2);
}

describe("loadSettings", () => {
  it("returns the defaults, and undefined for settings without one", () => {
    expect(valuesOf([])).toEqual({
      port: 8080,
      rate: undefined,
      folder: "./data",
      origin: undefined,
      level: "info",
      quiet: false,
      timeout: 10_000,
      retention: 604_800_000,
      memory: undefined,
    });
  });

  it("knows the type of each value", () => {
    expectTypeOf<SettingsOf<typeof definition>>().toEqualTypeOf<{
      readonly port: number;
      readonly rate: number | undefined;
      readonly folder: string;
      readonly origin: string | undefined;
      readonly level: "info" | "warn";
      readonly quiet: boolean;
      readonly timeout: number;
      readonly retention: number | undefined;
      readonly memory: number | undefined;
    }>();
  });

  it("reads flags in both spellings", () => {
    const args = [
      "--port=1",
      "--rate",
      "-2.5",
      "--folder",
      "a=b",
      "--origin=c=d",
      "--no-noise",
      "--memory",
      "1KiB",
    ];
    expect(valuesOf(args)).toMatchObject({
      port: 1,
      rate: -2.5,
      folder: "a=b",
      origin: "c=d",
      quiet: true,
      memory: 1024,
    });
  });

  it("reads the environment, and treats an empty variable as unset", () => {
    const env = { EXAMPLE_PORT: "2", EXAMPLE_NO_NOISE: "yes", EXAMPLE_LEVEL: "", EXAMPLE_TIMEOUT: "1500ms" };
    expect(valuesOf([], env)).toMatchObject({ port: 2, quiet: true, level: "info", timeout: 1500 });
  });

  it("lets a flag override its variable, and a variable its default", () => {
    expect(valuesOf(["--port", "3"], { EXAMPLE_PORT: "2" }).port).toBe(3);
    expect(valuesOf(["--no-noise=false"], { EXAMPLE_NO_NOISE: "1" }).quiet).toBe(false);
  });

  it("lets only an optional setting be switched off", () => {
    expect(valuesOf(["--retention", "off", "--memory=none"], {})).toMatchObject({
      retention: undefined,
      memory: undefined,
    });
    expect(valuesOf([], { EXAMPLE_RETENTION: "Off" }).retention).toBeUndefined();
    expect(problemsOf(["--timeout", "off"])).toEqual([
      '--timeout: "off" is not a duration such as 10s, 500ms or 7d',
    ]);
  });

  it("returns arguments that are not flags as positionals, up to their limit", () => {
    expect(load(["--port", "1", "file.csv", "--no-noise"])).toMatchObject({ positionals: ["file.csv"] });
    expect(load(["--", "--port"])).toMatchObject({ positionals: ["--port"] });
    expect(load(["--no-noise", "-"])).toMatchObject({ positionals: ["-"] });
    expect(problemsOf(["a", "b", "c"])).toEqual(['"b": unexpected argument', '"c": unexpected argument']);
  });

  it("accepts no positionals by default", () => {
    const bare = defineSettings({ prefix: "BARE_", settings: {} });
    expect(loadSettings(bare, { args: ["a"], env: {} })).toMatchObject({
      kind: "problems",
      text: expect.stringContaining('"a": unexpected argument'),
    });
  });

  it("reports all problems at once, each with the name that the user wrote", () => {
    expect(
      problemsOf(["--port", "70000", "--levl=warn", "--rate"], {
        EXAMPLE_LEVEL: "loud",
        EXAMPLE_TIMEOUT: "10ms",
        EXAMPLE_NO_NOISE: "maybe",
        EXAMPLE_POTR: "1",
      }),
    ).toEqual([
      "--levl: unknown flag; did you mean --level?",
      "--rate: needs a value",
      "EXAMPLE_POTR: unknown environment variable; did you mean EXAMPLE_PORT?",
      '--port: "70000" is more than 65535',
      'EXAMPLE_LEVEL: "loud" is not one of info, warn',
      'EXAMPLE_NO_NOISE: "maybe" is not true or false',
      'EXAMPLE_TIMEOUT: "10ms" is less than 1s',
    ]);
  });

  it.each([
    [["--frobnicate", "5"], ["--frobnicate: unknown flag"]],
    [["-p"], ["-p: unknown flag"]],
    [["--port", "--no-noise"], ["--port: needs a value"]],
    [["--port="], ["--port: is empty"]],
    [["--port", "1", "--port", "2"], ["--port: given twice"]],
    [["--no-noise=perhaps"], ['--no-noise: "perhaps" is not true or false']],
    [["--port", "8080x"], ['--port: "8080x" is not a whole number']],
    [["--port", "-1"], ['--port: "-1" is less than 0']],
    [["--port", "1e3"], ['--port: "1e3" is not a whole number']],
    [["--rate", "NaN"], ['--rate: "NaN" is not a number']],
  ])("rejects %j by name", (args, problems) => {
    expect(problemsOf(args)).toEqual(problems);
  });

  it("ignores the variables of other programs", () => {
    expect(
      valuesOf([], { EXAMPLE_OF_ANOTHER: "1", PATH: "/bin", EXAMPLES: "x", EXAMPLE_GONE: undefined }).port,
    ).toBe(8080);
  });

  it.each([[["--help"]], [["-h"]], [["--port", "nonsense", "--help"]]])(
    "answers %j with the help",
    (args) => {
      expect(load(args, { EXAMPLE_UNKNOWN: "1" })).toMatchObject({
        kind: "help",
        text: expect.stringContaining("Usage:"),
      });
    },
  );

  it("never throws, for any arguments and any environment", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("--port", "--no-noise", "--", "-h", "--timeout=", "=", "--=", "--__proto__", "1"),
    );
    fc.assert(
      fc.property(
        fc.array(word),
        fc.dictionary(
          fc.string().map((name) => `EXAMPLE_${name}`),
          fc.string(),
        ),
        (args, env) => {
          expect(["settings", "help", "problems"]).toContain(load(args, env).kind);
        },
      ),
    );
  });
});

describe("the help", () => {
  it("shows each flag with its meaning, default and variable, aligned", () => {
    const loaded = load(["--help"]);
    expect(loaded.kind === "help" && loaded.text).toBe(`Usage: npm start -- [flags] [file]

Serves an example.

  --port <integer>        Port to listen on. Default 8080. [EXAMPLE_PORT]
  --rate <number>         Calls a second. [EXAMPLE_RATE]
  --folder <path>         Where to write. Default ./data. [EXAMPLE_FOLDER]
  --origin <string>       Who may call. [EXAMPLE_ORIGIN]
  --level <string>        How much to log. One of info, warn. Default info. [EXAMPLE_LEVEL]
  --no-noise              Makes no noise. [EXAMPLE_NO_NOISE]
  --timeout <duration>    How long to wait. Default 10s. [EXAMPLE_TIMEOUT]
  --retention <duration>  How long to keep. Default 7d. [EXAMPLE_RETENTION]
  --memory <bytes>        How much to use. [EXAMPLE_MEMORY]
  --help, -h              Shows this text.

A flag beats its environment variable. X_FILE names a file that holds the value of X, for each
variable X: so a secret is in no list of processes.
`);
  });

  it("wraps long meanings under themselves, within 100 columns", () => {
    const long = defineSettings({
      prefix: "A_",
      settings: { b: { flag: "--b", env: "A_B", kind: "string", description: "word ".repeat(60).trim() } },
    });
    const loaded = loadSettings(long, { args: ["-h"], env: {} });
    const lines = loaded.kind === "help" ? loaded.text.split("\n") : [];
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.filter((line) => line.startsWith(`${" ".repeat(16)}word`)).length).toBeGreaterThan(1);
    expect(loaded.kind === "help" && loaded.text.match(/word/g)).toHaveLength(60);
  });
});

describe("settingsTable", () => {
  it("is a markdown table with a row for each setting", () => {
    const rows = settingsTable(definition).trimEnd().split("\n");
    expect(rows).toHaveLength(2 + 9);
    expect(rows.slice(0, 3)).toEqual([
      "| Flag | Environment | Default | Meaning |",
      "| --- | --- | --- | --- |",
      "| `--port <integer>` | `EXAMPLE_PORT` | `8080` | Port to listen on. |",
    ]);
    expect(rows[6]).toBe(
      "| `--level <string>` | `EXAMPLE_LEVEL` | `info` | How much to log. One of info, warn. |",
    );
    expect(rows[5]).toContain("| – |");
  });
});
