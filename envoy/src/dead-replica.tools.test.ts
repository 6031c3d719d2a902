import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { envoyBinary } from "../testing/edge-fixture.ts";
import { startTwoReplicas, stored } from "../testing/replica-process-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";

describe.skipIf(envoyBinary === undefined)("one of two replicas of ingest, killed under load,", () => {
  it("fails no call, and no acknowledged reading is lost", async () => {
    using folder = temporaryFolder();
    await using running = await startTwoReplicas(folder.path);
    const { files, replicas, envoy } = running;

    const units = 80;
    const senders = 10;
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    let answered = 0;
    async function sendUnits(device: string): Promise<void> {
      using client = createUnitClient(`127.0.0.1:${envoy.plain.port}`);
      for (let unit = 0; unit < units; unit++) {
        const frames = Array.from({ length: 5 }, (_, i) => readingsOf(device, unit * 100 + i * 20, 20));
        const outcome = await client.send(frames);
        answered++;
        if (outcome.kind === "failed") failures.push(outcome);
        else acknowledged.push(...frames.flat().map(({ timestamp }) => `${device}@${timestamp?.seconds}`));
      }
    }
    const sending = Array.from({ length: senders }, (_, i) => sendUnits(`killed-${i}`));
    await waitUntil(() => answered > 150, { timeoutMs: 30_000, what: "the load" });
    const [first] = replicas;
    expect(stored(files[0] ?? "").size).toBeGreaterThan(0);
    first?.child.kill("SIGKILL");
    await Promise.all(sending);

    expect(failures).toEqual([]);
    expect(acknowledged).toHaveLength(units * senders * 100);
    const kept = new Set(files.flatMap((file) => [...stored(file)]));
    expect(acknowledged.filter((reading) => !kept.has(reading))).toEqual([]);
    const { body } = await envoy.admin.get("/stats?filter=^cluster.ingest.upstream_rq_retry_success$");
    expect(Number(/: (\d+)/.exec(body)?.[1])).toBeGreaterThan(0);
  });
});
