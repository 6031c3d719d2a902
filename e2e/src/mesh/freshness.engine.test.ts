import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

const probes = 60;
const loadPrefix = "beside.";

describe.skipIf(engines === undefined)("the freshness of the real mesh under 200 readings a second", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "freshness");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it("is printed as the time from an acknowledgement to the answer, with the share of answers from windows", async () => {
    using publisher = createPublisher(mesh.address);
    const load = startSteadyLoad({ target: mesh.address, prefix: loadPrefix, readingsPerSecond: 200 });
    const delaysMs: number[] = [];
    const shares: number[] = [];
    try {
      await waitUntil(() => load.acked.size > 500, { timeoutMs: 120_000, what: "readings flow" });
      const startMs = Date.now();
      for (let probe = 0; probe < probes; probe++) {
        const reading = {
          deviceId: `probe.${probe}`,
          sensor: "temperature",
          timestampMs: startMs,
          value: 20,
        } as const;
        await publisher.publish([readingOf(reading)]);
        const ackedMs = performance.now();
        await waitUntil(
          async () => {
            const { rows } = await mesh.query.getAggregates({ deviceIds: [reading.deviceId] });
            return rows.length === 1;
          },
          { timeoutMs: 60_000, everyMs: 20, what: `the answer counts ${reading.deviceId}` },
        );
        delaysMs.push(performance.now() - ackedMs);
        const deviceIds = Array.from({ length: 50 }, (_, i) => `${loadPrefix}${i}`);
        const { coverage } = await mesh.query.getAggregates({ deviceIds });
        const [windows, raw] = [Number(coverage?.fromWindows), Number(coverage?.fromRaw)];
        shares.push(windows / (windows + raw));
      }
      await load.finish();
    } finally {
      load.abort();
    }
    const sorted = delaysMs.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] as number);
    const percent = (share: number | undefined) => `${Math.round((share ?? 0) * 100)} %`;
    process.stdout.write(
      `freshness: from ack to "in the answer" p50 ${at(0.5)} ms, p99 ${at(0.99)} ms over ${probes} probes; ` +
        `from windows at first ${percent(shares[0])}, at last ${percent(shares.at(-1))}\n`,
    );
    expect(delaysMs.length).toBe(probes);
    await mesh.untilSealed();
  }, 600_000);
});
