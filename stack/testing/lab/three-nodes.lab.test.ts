import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { findLeftovers } from "../../lab/machine/leftovers.ts";
import { projectFolder } from "../../src/deploy/stack-files.ts";

const folder = join(homedir(), ".cache/devicemesh/stack-lab");
const nothing = { processes: [], mounts: [], namespaces: [], interfaces: [] };

/** Starts `npm run stack:lab` with these flags; its output is also part of the test's output. */
function startLab(flags: readonly string[]): { readonly child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [join(projectFolder, "stack/lab/main.ts"), ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      process.stdout.write(chunk);
    });
  }
  return { child, output: () => output };
}

describe("npm run stack:lab", () => {
  it("leaves nothing behind after a kill during its start and a clean-up", async () => {
    const { child } = startLab(["--single", "--once"]);
    await waitUntil(() => findLeftovers(folder).processes.length > 2, {
      timeoutMs: 120_000,
      what: "engines run",
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(findLeftovers(folder).namespaces).toEqual(["dmlab1"]);
    const cleaning = startLab(["--clean"]);
    expect((await once(cleaning.child, "exit"))[0]).toBe(0);
    expect(findLeftovers(folder)).toEqual(nothing);
  });

  it("answers exactly on three nodes: an unchanged deployment, the death of a node, an update", async () => {
    const names = ["unchanged", "kill", "update"];
    const { child, output } = startLab(["--faults", names.join(",")]);
    const [code] = (await once(child, "exit")) as [number | null];
    expect([code, output().split("\n").slice(-15)]).toEqual([0, expect.anything()]);
    for (const name of names) {
      const line = new RegExp(
        `^${name}: (\\d+) readings sent, (\\d+) acknowledged .* (\\d+) stored, .* 0 different`,
        "m",
      );
      const [, sent, acknowledged, stored] = line.exec(output()) ?? [];
      expect([name, Number(sent) >= 3000, acknowledged, stored]).toEqual([name, true, sent, sent]);
    }
    expect(findLeftovers(folder)).toEqual(nothing);
  }, 2_700_000);
});
