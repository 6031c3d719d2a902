import { describe, expect, it } from "vitest";
import { defineSettings } from "../settings/define-settings.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { runCommand } from "./run-command.ts";

const definition = defineSettings({
  prefix: "T_",
  usage: "t [WORD] [flags]",
  summary: "Test.",
  positionals: { max: 1, placeholder: "WORD" },
  settings: {
    count: { flag: "--count", env: "T_COUNT", kind: "integer", default: 1, description: "How many." },
  },
});

async function runWith(
  args: readonly string[],
  run: Parameters<typeof runCommand<typeof definition.settings>>[0]["run"],
) {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const runtime = {
    argv: ["node", "t", ...args],
    env: {},
    exitCode: undefined as number | undefined,
    stdout: { write: (text: string) => void written.stdout.push(text) },
    stderr: { write: (text: string) => void written.stderr.push(text) },
  };
  await runCommand({ name: "t", definition, run }, runtime as unknown as NodeJS.Process);
  return {
    stdout: written.stdout.join(""),
    stderr: written.stderr.join(""),
    exitCode: runtime.exitCode,
  };
}

describe("runCommand", () => {
  it("passes settings and positionals, and exits with the code of the run", async () => {
    const seen: unknown[] = [];
    const outcome = await runWith(["word", "--count", "3"], async ({ count }, positionals) => {
      seen.push(count, positionals);
      return 3;
    });
    expect(seen).toEqual([3, ["word"]]);
    expect(outcome).toEqual({ stdout: "", stderr: "", exitCode: 3 });
  });

  it("prints help and exits with 0, or all problems and exits with 2, without running", async () => {
    const never = async () => expect.unreachable();
    expect(await runWith(["--help"], never)).toMatchObject({ exitCode: 0, stderr: "" });
    const wrong = await runWith(["--count", "many", "--nothing"], never);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/--count[\s\S]*--nothing|--nothing[\s\S]*--count/);
  });

  it("names the program and the reason of a failure, without credentials", async () => {
    const failing = async () => {
      throw new Error("cannot reach mongodb://user:secret@host/");
    };
    const outcome = await runWith([], failing);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(/^t: cannot reach/);
    expect(outcome.stderr).not.toContain("secret");
  });

  it("exits with 2 for a wrong setting that only the run finds", async () => {
    const failing = async () => {
      throw new SettingsError("--count is too large");
    };
    expect((await runWith([], failing)).exitCode).toBe(2);
  });
});
