import { noSensor, type ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import { clockAheadMaxMs, earliestTimestampMs, type SensorSpec } from "@devicemesh/proto";

type Breaker = (...reading: [...Parameters<ReadingSink>, ReadingSink]) => void;

/** The ways to break a reading of these sensors (by code). Each certainly breaks one rule. */
export const invalidReadings = (sensors: readonly SensorSpec[]): readonly Breaker[] => [
  (_deviceId, code, time, value, sink) => sink("", code, time, value),
  (deviceId, code, time, value, sink) => sink(`-${deviceId}`, code, time, value),
  (deviceId, code, time, value, sink) => sink(`${deviceId} é|`, code, time, value),
  (deviceId, code, time, value, sink) => sink(deviceId.padEnd(129, "x"), code, time, value),
  (deviceId, _code, time, value, sink) => sink(deviceId, noSensor, time, value),
  (deviceId, code, time, _value, sink) => sink(deviceId, code, time, Number.NaN),
  (deviceId, code, time, _value, sink) => sink(deviceId, code, time, Number.POSITIVE_INFINITY),
  (deviceId, code, time, _value, sink) => sink(deviceId, code, time, sensors[code]!.maximum + 0.5),
  (deviceId, code, time, _value, sink) => sink(deviceId, code, time, sensors[code]!.minimum - 0.5),
  (deviceId, code, _time, value, sink) => sink(deviceId, code, Number.NaN, value),
  // Far enough ahead that no delay can make it valid.
  (deviceId, code, time, value, sink) => sink(deviceId, code, time + 400 * clockAheadMaxMs, value),
  (deviceId, code, _time, value, sink) => sink(deviceId, code, earliestTimestampMs - 1, value),
];
