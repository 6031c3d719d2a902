import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { describe, expect, it } from "vitest";
import { stackSettings } from "../settings.ts";
import { runStackCommand } from "./run-command.ts";

describe("stack:build", () => {
  it("builds the dashboard before the images, one of which serves it", async () => {
    const loaded = loadSettings(stackSettings, { args: ["--dry-run"], env: {} });
    if (loaded.kind !== "settings") throw new Error(loaded.text);
    const printed: string[] = [];
    await runStackCommand("build", loaded.values, {
      env: process.env,
      report: (line) => printed.push(line),
      print: () => {},
      nowMs: 0,
    });
    expect(printed[0]).toBe("node web/src/build/main.ts");
    expect(printed.slice(1).map((line) => /stack\/images\/(\w+)\.Dockerfile/.exec(line)?.[1])).toEqual([
      "services",
      "spark",
      "kafka",
      "envoy",
    ]);
  });
});
