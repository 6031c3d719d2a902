import fc from "fast-check";
import { Partitioners } from "kafkajs";
import { describe, expect, it } from "vitest";
import { murmur2, partitionOf } from "./murmur2.ts";

describe("the partition of a device", () => {
  // Printed by org.apache.kafka.common.utils.Utils.murmur2 and toPositive of kafka-clients 4.3.1.
  it.each([
    ["a", -1563381124, 1, 4],
    ["0", 971027396, 2, 8],
    ["Z.z_", -2079952211, 0, 9],
    ["device-1", 1007784178, 1, 10],
    ["device-42", -1415647139, 0, 9],
    ["thermostat-000017", 1348070302, 1, 10],
    ["a:b-c.d", 1990323725, 2, 5],
    ["sensor.node:7_x-9", -1706425044, 2, 8],
    ["d".repeat(128), 215807842, 1, 10],
    ["abc", 479470107, 0, 3],
    ["abcd", -1323649548, 2, 8],
    ["abcde", 461995741, 1, 1],
    ["KSEA", -325491901, 1, 7],
  ])("is the one that the Java client computes for %s", (deviceId, hash, ofThree, ofTwelve) => {
    expect(murmur2(deviceId)).toBe(hash);
    expect(partitionOf(deviceId, 3)).toBe(ofThree);
    expect(partitionOf(deviceId, 12)).toBe(ofTwelve);
  });

  it("equals the one that kafkajs computes, for any device id and number of partitions", () => {
    const partitioner = Partitioners.DefaultPartitioner();
    const deviceIds = fc.stringMatching(/^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,127}$/);
    fc.assert(
      fc.property(deviceIds, fc.integer({ min: 1, max: 100 }), (deviceId, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionId,
          partitionErrorCode: 0,
          leader: 1,
          replicas: [1],
          isr: [1],
        }));
        const message = { key: deviceId, value: "" };
        expect(partitionOf(deviceId, partitions)).toBe(
          partitioner({ topic: "t", partitionMetadata, message }),
        );
      }),
    );
  });
});
