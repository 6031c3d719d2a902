import { describe, expect, it } from "vitest";
import { defineSettings, loadSettings } from "./define-settings.ts";

const definition = defineSettings({
  prefix: "EXAMPLE_",
  usage: "npm start -- [flags] [file]",
  misnamed: { "--directory": "--folder" },
  settings: {
    port: { flag: "--port", env: "EXAMPLE_PORT", kind: "integer", description: "Port to listen on." },
    folder: { flag: "--folder", env: "EXAMPLE_FOLDER", kind: "string", description: "Where to write." },
    level: { flag: "--level", env: "EXAMPLE_LEVEL", kind: "string", description: "How much to log." },
    quiet: { flag: "--no-noise", env: "EXAMPLE_NO_NOISE", kind: "boolean", description: "Makes no noise." },
  },
});

const load = (args: string[], env: Record<string, string | undefined> = {}) =>
  loadSettings(definition, { args, env });

/** The problems, one on each line, without the last line about --help. */
function problemsOf(args: string[], env: Record<string, string | undefined> = {}): string[] {
  const loaded = load(args, env);
  return loaded.kind === "problems" ? loaded.text.split("\n").slice(0, -2) : [];
}

describe("mistakes on the command line", () => {
  it("names the intended flag if the definition lists the mistake", () => {
    expect(problemsOf(["--directory", "x"])).toEqual(["--directory: unknown flag; did you mean --folder?"]);
  });

  it("recognizes flags that npm took because the -- before them was forgotten", () => {
    // npm start --port 9 --no-noise --level=warn
    expect(
      problemsOf(["9"], { npm_config_port: "true", npm_config_noise: "", npm_config_level: "warn" }),
    ).toEqual([
      '--port, --level, --no-noise: npm took this for itself; flags of the program come after "--": npm start -- [flags] [file]',
    ]);
    // The variables that npm always sets are not a mistake.
    const { npm_config_cache, npm_config_prefix } = { npm_config_cache: "/c", npm_config_prefix: "/p" };
    expect(load([], { npm_config_cache, npm_config_prefix }).kind).toBe("settings");
  });
});
