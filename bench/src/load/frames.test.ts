import { sensors } from "@devicemesh/proto";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { describe, expect, it } from "vitest";
import { createFleet } from "./fleet.ts";
import { createFrameSource } from "./frames.ts";

const devices = createFleet(8);
const startSeconds = 1_795_000_000;

function measuredValue({ measurement }: Reading): number {
  if (!measurement) throw new Error("no measurement");
  return Object.values(measurement.value)[0] as number;
}

describe("createFrameSource", () => {
  const source = createFrameSource({ devices, secondsPerFrame: 3, startSeconds, templates: 2, seed: 1 });
  const frames = Array.from({ length: 5 }, () => PublishReadingsRequest.decode(source.next()).readings);

  it("has one reading of each device a second, over the frames without a gap or a duplicate", () => {
    expect(source.readingsPerFrame).toBe(24);
    for (const { deviceId, phaseMs } of devices) {
      const times = frames.flat().filter((reading) => reading.deviceId === deviceId);
      expect(times.map(({ timestamp }) => Number(timestamp!.seconds))).toEqual(
        Array.from({ length: 15 }, (_, index) => startSeconds + index),
      );
      expect(new Set(times.map(({ timestamp }) => timestamp!.nanos))).toEqual(new Set([phaseMs * 1_000_000]));
    }
  });

  it("has values of the device's type, in range and with at most two decimals", () => {
    for (const reading of frames.flat()) {
      const { sensorCode } = devices.find(({ deviceId }) => deviceId === reading.deviceId)!;
      const { minimum, maximum, deviceType } = sensors[sensorCode]!;
      const value = measuredValue(reading);
      expect(reading.measurement!.$case.toLowerCase()).toBe(deviceType.replaceAll("_", ""));
      expect(value).toBeGreaterThanOrEqual(minimum);
      expect(value).toBeLessThanOrEqual(maximum);
      expect(Number(value.toFixed(2))).toBe(value);
    }
  });

  it("varies the values", () => {
    const first = frames.flat().filter(({ deviceId }) => deviceId === devices[1]!.deviceId);
    expect(new Set(first.map(measuredValue)).size).toBeGreaterThan(2);
  });

  it("has the late readings of each device within a day, each once, after its latest one", () => {
    const day = 86_400;
    const late = createFrameSource({
      devices,
      secondsPerFrame: 600,
      startSeconds,
      templates: 1,
      seed: 5,
      isLate: true,
    });
    const seconds = Array.from({ length: 1 + day / 600 }, () =>
      Number(PublishReadingsRequest.decode(late.next()).readings[0]!.timestamp!.seconds),
    );
    expect(seconds[0]).toBe(startSeconds + day);
    const others = seconds.slice(1).toSorted((a, b) => a - b);
    expect(others).toEqual(others.map((_, index) => startSeconds + index * 600));
    expect(seconds.slice(1)).not.toEqual(others);
    expect(() => late.next()).toThrow("has been sent");
  });
});
