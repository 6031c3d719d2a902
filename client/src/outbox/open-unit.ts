import type { SensorSpec } from "@devicemesh/proto";
import type { Clock } from "../clock.ts";
import { unitOf } from "../delivery/delivery.ts";
import { createFrameEncoder, type Frame, type ReadingSink } from "../delivery/frame-encoder.ts";
import type { Unit } from "../delivery/unit.ts";

/** The unit that is currently filled. */
export type OpenUnit = {
  add: ReadingSink;
  /** Number of readings in it so far. */
  readings(): number;
  /** Whether its first reading is old enough to send the unit. */
  isDue(): boolean;
  /** Ends it and starts the next. */
  take(): Unit;
};

/**
 * Creates an empty unit, which is split into frames as it fills; calls `onDue` when its first reading is `ageMs` old.
 */
export function createOpenUnit({
  frameReadings,
  ageMs,
  clock,
  sensors,
  onDue,
}: {
  frameReadings: number;
  ageMs: number;
  clock: Clock;
  sensors: readonly SensorSpec[] | undefined;
  onDue(): void;
}): OpenUnit {
  const encoder = createFrameEncoder({ sensors });
  let frames: Frame[] = [];
  let readings = 0;
  let due = false;
  let cancelTimer = () => {};

  return {
    add(deviceId, sensorCode, timestampMs, value) {
      encoder.add(deviceId, sensorCode, timestampMs, value);
      readings += 1;
      if (encoder.readings() >= frameReadings || encoder.bytes() >= frameBytesEnough)
        frames.push(encoder.take());
      if (readings > 1) return;
      cancelTimer = clock.setTimer(ageMs, () => {
        due = true;
        onDue();
      });
    },
    readings: () => readings,
    isDue: () => due,
    take() {
      cancelTimer();
      if (encoder.readings() > 0) frames.push(encoder.take());
      const unit = unitOf(frames);
      frames = [];
      readings = 0;
      due = false;
      return unit;
    },
  };
}

// Half of a frame's limit: the last reading may be long.
const frameBytesEnough = 512 * 1024;
