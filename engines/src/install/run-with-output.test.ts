import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { isRunning, processIdentity } from "../run/process-identity.ts";
import { runWithOutput } from "./run-with-output.ts";

describe("running a program", () => {
  it("returns its lines and its exit code", async () => {
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    expect(await runWithOutput("sh", ["-c", "echo out; echo err >&2; exit 3"], { onLine })).toBe(3);
    expect(lines.sort()).toEqual(["err", "out"]);
  });

  it("kills it and its child processes when the signal aborts", async () => {
    const stopping = new AbortController();
    const processIds: number[] = [];
    const running = runWithOutput("sh", ["-c", "sleep 600 & echo $!; echo $$; wait"], {
      onLine: (line) => processIds.push(Number(line)),
      signal: stopping.signal,
    });
    await waitUntil(() => processIds.length === 2);
    const identities = processIds.flatMap((id) => processIdentity(id) ?? []);
    expect(identities).toHaveLength(2);
    stopping.abort(new Error("stopped by a signal"));
    await expect(running).rejects.toThrow("stopped by a signal");
    await waitUntil(() => !identities.some(isRunning), { what: "both have ended" });
    const none = runWithOutput("sh", ["-c", "true"], { onLine: () => {}, signal: stopping.signal });
    await expect(none).rejects.toThrow("stopped by a signal");
  });
});
