import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { startReplica, stored } from "../testing/replica-process-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

describe.skipIf(envoyBinary === undefined)("one of two replicas of ingest, killed under load,", () => {
  it("fails no call, and no acknowledged reading is lost", async () => {
    using folder = temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const files = ["one", "two"].map((name) => join(folder.path, name));
    const replicas = await Promise.all(files.map((file) => startReplica(file)));
    for (const { child } of replicas) stack.defer(() => void child.kill("SIGKILL"));
    const backend = stack.use(await startBackend());
    const envoy = stack.use(
      await startEnvoy({
        ...quietEnvoy,
        ingest: replicas.map(({ port }) => localhost(port)),
        query: [localhost(backend.port)],
        generator: [localhost(backend.port)],
      }),
    );

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
