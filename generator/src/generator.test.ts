import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Unit, UnitSender } from "@devicemesh/client/delivery/unit";
import { defaultOutboxLimits } from "@devicemesh/client/outbox/outbox";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { createManualClock } from "@devicemesh/client/testing/manual-clock";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { sensors } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createGenerator } from "./generator.ts";
import { createDevices } from "./simulate/devices.ts";

const logger = silentLogger();

function createTakingSender() {
  const units: Unit[] = [];
  const sender: UnitSender = {
    async send(unit) {
      units.push(unit);
      return { kind: "acked", accepted: unit.readings, refused: 0, refusedReadings: [] };
    },
    close() {},
  };
  return {
    sender,
    bytes: () => Buffer.concat(units.flatMap(({ frames }) => frames.map(({ bytes }) => bytes))),
  };
}

async function simulateFor(ms: number, { seed, devices = 5 }: { seed: bigint; devices?: number }) {
  const clock = createManualClock();
  const { sender, bytes } = createTakingSender();
  const generator = createGenerator({ target: "nowhere", logger, clock, sender });
  generator.start({ devices, seed, faults: { lateRate: 0.1, duplicateRate: 0.1, invalidRate: 0.1 } });
  await clock.advanceAsync(ms);
  await generator.stop();
  await generator.close();
  return bytes();
}

describe("generator", () => {
  it("delivers the readings of its devices, and has none left when it has stopped", async () => {
    await using ingest = await startFakeIngest();
    await using generator = createGenerator({ target: ingest.target, logger, limits: { unitAgeMs: 20 } });
    expect(generator.state()).toMatchObject({ running: false, sent: 0, simulation: undefined });
    generator.start({ devices: sensors.length, intervalMs: 10 });
    await waitUntil(() => generator.state().acked >= 40, { what: "40 readings are acknowledged" });
    expect(generator.state()).toMatchObject({ running: true, refused: 0, dropped: 0 });
    await generator.stop();
    await generator.stop();
    const { running, sent, acked, pending, startedMs } = generator.state();
    expect({ running, pending, startedMs }).toEqual({ running: false, pending: 0, startedMs: undefined });
    expect(acked).toBe(sent);
    expect(ingest.stored).toHaveLength(sent);
    expect(new Set(ingest.stored.map((identity) => identity.split("|")[0]))).toEqual(
      new Set(createDevices(sensors.length).ids),
    );
  });

  it("simulates the same readings for the same seed, including faults", async () => {
    const first = await simulateFor(30_000, { seed: 9n });
    expect(first.length).toBeGreaterThan(5 * 30 * 30);
    expect(await simulateFor(30_000, { seed: 9n })).toEqual(first);
    expect(await simulateFor(30_000, { seed: 10n })).not.toEqual(first);
  });

  it("simulates other readings at each start without a seed", async () => {
    const { sender } = createTakingSender();
    await using generator = createGenerator({
      target: "nowhere",
      logger,
      clock: createManualClock(),
      sender,
    });
    const seeds = new Set<unknown>();
    for (let start = 0; start < 3; start++) {
      generator.start({ devices: 1 });
      seeds.add(generator.state().simulation?.seed);
      await generator.stop();
    }
    expect(seeds.size).toBe(3);
  });

  it("rejects a second start and invalid requests, and names the fields", () => {
    const { sender } = createTakingSender();
    const generator = createGenerator({ target: "nowhere", logger, clock: createManualClock(), sender });
    const wrong = () => generator.start({ devices: 0, intervalMs: 9, faults: { lateRate: Number.NaN } });
    expect(wrong).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        details: [
          {
            kind: "badRequest",
            violations: ["devices", "interval", "faults.late_rate"].map((field) =>
              expect.objectContaining({ field }),
            ),
          },
        ],
      }),
    );
    expect(generator.state().running).toBe(false);
    generator.start({ devices: 1 });
    expect(() => generator.start({ devices: 1 })).toThrow(
      expect.objectContaining({ code: "ALREADY_EXISTS" }),
    );
  });

  it("starts again after a stop, with new counts", async () => {
    const clock = createManualClock();
    const { sender } = createTakingSender();
    const generator = createGenerator({ target: "nowhere", logger, clock, sender, seed: 77n });
    generator.start({ devices: 3 });
    await clock.advanceAsync(9_900);
    await generator.stop();
    expect(generator.state()).toMatchObject({ sent: 30, acked: 30 });
    generator.start({ devices: 3 });
    await clock.advanceAsync(1_900);
    await generator.stop();
    expect(generator.state()).toMatchObject({ sent: 6, acked: 6, simulation: { seed: 77n } });
  });

  it("continues to deliver after the time limit of a stop", async () => {
    const ingest = await startFakeIngest();
    ingest.kill();
    await using generator = createGenerator({ target: ingest.target, logger, limits: { unitAgeMs: 1 } });
    generator.start({ devices: sensors.length, intervalMs: 10 });
    await waitUntil(() => generator.state().lastError !== undefined, { what: "the first failure" });
    expect(generator.state().lastError?.text).toContain("UNAVAILABLE");
    await generator.stop({ limitMs: 10 });
    const { pending, sent } = generator.state();
    expect(pending).toBe(sent);
    await using back = await startFakeIngest({ port: ingest.port });
    await waitUntil(() => generator.state().pending === 0, {
      what: "the rest is delivered",
      timeoutMs: 20_000,
    });
    expect(back.stored).toHaveLength(sent);
  });

  it("keeps undelivered readings in the spill folder, for the next process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "generator-"));
    try {
      const ingest = await startFakeIngest();
      ingest.kill();
      const first = createGenerator({ target: ingest.target, logger, spill: { folder } });
      first.start({ devices: 4, intervalMs: 10 });
      await waitUntil(() => first.state().sent >= 20, { what: "20 readings are sent" });
      await first.close({ limitMs: 0 });
      await first.close();
      const { sent, dropped } = first.state();
      expect(dropped).toBe(0);
      await using back = await startFakeIngest();
      await using second = createGenerator({ target: back.target, logger, spill: { folder } });
      await waitUntil(() => second.state().pending === 0, { what: "the spill folder is delivered" });
      expect(back.stored).toHaveLength(sent);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("simulates 50,000 devices with a timer for the schedule and one for each lane, at the cost a reading of 500 devices", async () => {
    const readings = 150_000;
    async function simulate(devices: number): Promise<{ readonly cpu: number; readonly timers: number }> {
      const clock = createManualClock();
      const { sender } = createTakingSender();
      const generator = createGenerator({ target: "nowhere", logger, clock, sender });
      const before = process.cpuUsage();
      generator.start({ devices });
      await clock.advanceAsync((readings / devices) * 1000 - 10);
      const { user, system } = process.cpuUsage(before);
      expect(generator.state().sent).toBe(readings);
      return { cpu: user + system, timers: clock.timers() };
    }
    const few = await simulate(500);
    const many = await simulate(50_000);
    expect(many.timers).toBeLessThanOrEqual(1 + defaultOutboxLimits.unitsInFlight);
    // A timer or some objects for each device would cost more than this.
    expect(many.cpu / few.cpu).toBeLessThan(4);
  });
});
