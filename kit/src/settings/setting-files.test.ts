import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { defineSettings, loadSettings } from "./define-settings.ts";
import { settingFileBytesMax } from "./setting-file.ts";

const folder = mkdtempSync(join(tmpdir(), "setting-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const definition = defineSettings({
  prefix: "EXAMPLE_",
  foreignEnv: ["EXAMPLE_OF_ANOTHER"],
  settings: {
    url: { flag: "--url", env: "EXAMPLE_URL", kind: "string", default: "local", description: "Where." },
    port: {
      flag: "--port",
      env: "EXAMPLE_PORT",
      kind: "integer",
      default: 1,
      maximum: 100,
      description: "Port.",
    },
    level: {
      flag: "--level",
      env: "EXAMPLE_LEVEL",
      kind: "string",
      default: "info",
      choices: ["info", "warn"],
      description: "How much.",
    },
    tag: { flag: "--tag", env: "EXAMPLE_TAG", kind: "string", default: "", description: "Any." },
    quiet: { flag: "--quiet", env: "EXAMPLE_QUIET", kind: "boolean", description: "Whether." },
    timeout: { flag: "--timeout", env: "EXAMPLE_TIMEOUT", kind: "duration", description: "How long." },
  },
});

let files = 0;
function file(content: string | Uint8Array): string {
  files += 1;
  const path = join(folder, `secret-${files}`);
  writeFileSync(path, content);
  return path;
}

function load(env: Record<string, string>, args: string[] = []) {
  return loadSettings(definition, { args, env });
}

function problemOf(env: Record<string, string>): string {
  const loaded = load(env);
  if (loaded.kind !== "problems") throw new Error(`no problems but ${loaded.kind}`);
  return loaded.text.replace("\n--help lists what there is.\n", "");
}

describe("a variable's _FILE", () => {
  it("returns the content of the file, for each kind of setting", () => {
    const env = {
      EXAMPLE_URL_FILE: file("mongodb://user:pass=word@host/?a=b"),
      EXAMPLE_PORT_FILE: file("42"),
      EXAMPLE_LEVEL_FILE: file("warn"),
      EXAMPLE_QUIET_FILE: file("yes"),
      EXAMPLE_TIMEOUT_FILE: file("1500ms"),
    };
    expect(load(env)).toMatchObject({
      values: {
        url: "mongodb://user:pass=word@host/?a=b",
        port: 42,
        level: "warn",
        quiet: true,
        timeout: 1500,
      },
    });
  });

  it.each([
    ["word", "word"],
    ["word\n", "word"],
    ["word\r\n", "word"],
    ["word\n\n", "word\n"],
    [" two words ", " two words "],
    ["größe", "größe"],
  ])("removes one newline from the end of %j, and no other character", (content, value) => {
    expect(load({ EXAMPLE_URL_FILE: file(content) })).toMatchObject({ values: { url: value } });
  });

  it("is overridden by the flag without being read, and overrides the default", () => {
    const env = { EXAMPLE_URL_FILE: join(folder, "missing") };
    expect(load(env, ["--url", "given"])).toMatchObject({ values: { url: "given" } });
    expect(load({ EXAMPLE_URL_FILE: file("found") })).toMatchObject({ values: { url: "found" } });
  });

  it("counts as unset if empty, and so does the variable beside it", () => {
    expect(load({ EXAMPLE_URL_FILE: "" })).toMatchObject({ values: { url: "local" } });
    expect(load({ EXAMPLE_URL: "x", EXAMPLE_URL_FILE: "" })).toMatchObject({ values: { url: "x" } });
    expect(load({ EXAMPLE_URL: "", EXAMPLE_URL_FILE: file("y") })).toMatchObject({ values: { url: "y" } });
  });

  it("is rejected beside the variable itself", () => {
    expect(problemOf({ EXAMPLE_URL: "s3cret", EXAMPLE_URL_FILE: file("s3cret") })).toBe(
      "EXAMPLE_URL and EXAMPLE_URL_FILE are both given: unset one of them",
    );
  });

  it("is rejected if it names no readable file", () => {
    const path = join(folder, "missing");
    expect(problemOf({ EXAMPLE_URL_FILE: path })).toBe(
      `EXAMPLE_URL_FILE: cannot read ${path}: there is no such file`,
    );
    expect(problemOf({ EXAMPLE_URL_FILE: folder })).toBe(
      `EXAMPLE_URL_FILE: cannot read ${folder}: it is a folder`,
    );
    const below = join(file("x"), "below");
    expect(problemOf({ EXAMPLE_URL_FILE: below })).toContain("a part of its path is not a folder");
    expect(problemOf({ EXAMPLE_URL_FILE: "/a\0b" })).toContain("EXAMPLE_URL_FILE: cannot read");
  });

  it("does not print a secret that was given instead of a file's name", () => {
    const problem = problemOf({ EXAMPLE_URL_FILE: "mongodb://user:s3cret@host/" });
    expect(problem).toBe("EXAMPLE_URL_FILE: cannot read the file of that name: there is no such file");
  });

  it("is rejected if the file is empty, except for a setting that may be empty", () => {
    const path = file("\n");
    expect(problemOf({ EXAMPLE_URL_FILE: path })).toBe("EXAMPLE_URL_FILE: is empty");
    expect(load({ EXAMPLE_TAG_FILE: path })).toMatchObject({ values: { tag: "" } });
  });

  it("is rejected if the file is too large, endless, or not text", () => {
    const largest = "a".repeat(settingFileBytesMax);
    expect(load({ EXAMPLE_URL_FILE: file(largest) })).toMatchObject({ values: { url: largest } });
    const larger = file(`${largest}a`);
    const refusal = "holds more than 64 KiB, so it is not the value of a setting";
    expect(problemOf({ EXAMPLE_URL_FILE: larger })).toBe(`EXAMPLE_URL_FILE: ${larger} ${refusal}`);
    expect(problemOf({ EXAMPLE_URL_FILE: "/dev/zero" })).toBe(`EXAMPLE_URL_FILE: /dev/zero ${refusal}`);
    const binary = file(new Uint8Array([0xff, 0xfe, 0x00]));
    expect(problemOf({ EXAMPLE_URL_FILE: binary })).toBe(`EXAMPLE_URL_FILE: ${binary} is not text in UTF-8`);
  });

  it.each([
    ["PORT", "s3cret", "is not a whole number"],
    ["PORT", "1234567", "is more than 100"],
    ["LEVEL", "s3cret", "is not one of info, warn"],
    ["QUIET", "s3cret", "is not true or false"],
    ["TIMEOUT", "s3cret", "is not a duration such as 10s, 500ms or 7d"],
  ])("does not print the content of the file of %s when it is invalid", (name, content, what) => {
    const path = file(content);
    const problem = problemOf({ [`EXAMPLE_${name}_FILE`]: path });
    expect(problem).toBe(`EXAMPLE_${name}_FILE: what ${path} holds ${what}`);
    expect(problem).not.toContain(content);
  });

  it("exists for each variable; those of other programs are ignored, and misspelled ones reported", () => {
    expect(load({ EXAMPLE_OF_ANOTHER_FILE: "/nowhere" }).kind).toBe("settings");
    expect(problemOf({ EXAMPLE_ULR_FILE: "/nowhere" })).toBe(
      "EXAMPLE_ULR_FILE: unknown environment variable; did you mean EXAMPLE_URL_FILE?",
    );
    expect(problemOf({ EXAMPLE_URL_FILES: "/nowhere" })).toContain("did you mean EXAMPLE_URL_FILE?");
    expect(problemOf({ EXAMPLE_URL_FILE_FILE: "/nowhere" })).toContain("unknown environment variable");
  });

  it("cannot be the variable of another setting", () => {
    const setting = { kind: "string", description: "a" } as const;
    expect(() =>
      defineSettings({
        prefix: "A_",
        settings: {
          key: { ...setting, flag: "--key", env: "A_KEY" },
          keyFile: { ...setting, flag: "--key-file", env: "A_KEY_FILE" },
        },
      }),
    ).toThrow("A_KEY_FILE is defined twice");
  });
});
