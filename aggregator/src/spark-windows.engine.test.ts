import { testEngines } from "@devicemesh/engines/testing";
import { identityOf, type SensorName } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createSparkFixture, type OutgoingRecord } from "./spark-fixture.ts";
import { bruteForcePartials, differences } from "./window-plan-oracle.ts";

const engines = await testEngines();

describe.skipIf(!engines)("the windows that Spark writes", () => {
  if (!engines) return;

  it("equal brute force over late, early, repeated and shuffled messages", async () => {
    await using fixture = await createSparkFixture(engines);
    const job = fixture.startJob();
    const random = seeded(1);
    for (let round = 0; round < 8; round += 1) {
      const messages = Array.from({ length: 150 }, () => adversarial(random, fixture.partitions));
      // One in ten is sent twice, one in twenty again with another value.
      const repeats = messages.filter(() => random() < 0.1);
      const conflicts = messages
        .filter(() => random() < 0.05)
        .map((message) => ({ ...message, value: message.value + 1 }));
      await fixture.append(shuffled([...messages, ...repeats, ...conflicts], random).map(recordOf));
      await fixture.tick();
    }
    await fixture.untilSealed(job);
    const { partials, contradictions } = await fixture.readPartials();
    const expected = bruteForcePartials(await fixture.readMessages(), fixture);
    expect(expected.size).toBeGreaterThan(250);
    expect(differences(partials, expected)).toEqual([]);
    expect(contradictions).toEqual([]);
    expect(job.progress()).toMatchObject({ rowsDropped: 0 });
  });
});

type Reading = {
  readonly deviceId: string;
  readonly partition: number;
  readonly timestampMs: number;
  readonly sensor: SensorName;
  readonly value: number;
};

/** Values that lose digits where somebody is careless. */
const oddValues = [1e-13, 5e-324, 97466.8, -0.1, 0, 1e15, 0.1 + 0.2, 123456789.123456789];

function adversarial(random: () => number, partitions: number): Reading {
  const device = Math.floor(random() * 12);
  const now = Date.now();
  const chance = random();
  const timestampMs =
    chance < 0.6
      ? now - Math.floor(random() * 3000)
      : chance < 0.75
        ? now - Math.floor(random() * 3 * 86_400_000)
        : chance < 0.85
          ? now + Math.floor(random() * 86_400_000)
          : chance < 0.98
            ? Math.floor(now / 10_000) * 10_000 + Math.floor(random() * 3) * 9999
            : Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  const sensor = random() < 0.5 ? "pressure" : "temperature";
  const steady = 1013.25 + (Math.floor(random() * 3) - 1) / 100;
  return {
    deviceId: `device-${device}`,
    partition: device % partitions,
    timestampMs,
    sensor,
    value: random() < 0.1 ? (oddValues[Math.floor(random() * oddValues.length)] as number) : steady,
  };
}

function recordOf(reading: Reading): OutgoingRecord {
  const { partition, deviceId, timestampMs, sensor, value } = reading;
  return {
    partition,
    key: identityOf(reading),
    value: JSON.stringify({
      device_id: deviceId,
      timestamp: new Date(timestampMs).toISOString(),
      sensor,
      value,
    }),
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Numbers in [0, 1), the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
