import { testEngines } from "@devicemesh/engines/testing/test-engines";
import type { DeviceMessage } from "@devicemesh/proto";
import { describeExactAnswers } from "@devicemesh/query/testing/oracle/index";
import { afterAll, beforeAll, describe } from "vitest";
import { createPrefixedQuery } from "../../testing/mesh/prefixed-query.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { createPublisher, type Publisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

// The suite for every store, here over Kafka, Kafka Connect, MongoDB and Spark: readings go in through ingest's gRPC
// port, answers come out of query's, and the windows advance by themselves meanwhile.
describe.skipIf(engines === undefined)("the real mesh", () => {
  let mesh: RealMesh;
  let publisher: Publisher;
  let run = 0;

  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "exact");
    publisher = createPublisher(mesh.address);
  }, 300_000);
  afterAll(async () => {
    publisher?.[Symbol.dispose]();
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  describeExactAnswers(
    "the real mesh",
    async () => {
      const prefix = `r${run++}-`;
      const known = new Set<string>();
      return {
        async publish(readings: readonly DeviceMessage[]) {
          if (readings.length === 0) return;
          for (const { deviceId } of readings) known.add(deviceId);
          const units = readings.map((reading) =>
            readingOf({ ...reading, deviceId: `${prefix}${reading.deviceId}` }),
          );
          await publisher.publish(units);
          await mesh.untilComplete();
        },
        fold: () => mesh.untilSealed(),
        nowMs: Date.now,
        query: createPrefixedQuery({ address: mesh.address, prefix, known }),
        deviceIds: () => (known.size > 0 ? [...known] : ["no-such-device"]),
        close: async () => {},
      };
    },
    { runs: 6, manySeries: 500, timeoutMs: 900_000 },
  );
});
