export {
  clockAheadMaxMs,
  deviceIdPattern,
  earliestTimestampMs,
  frameBytesMax,
  frameReadingsMax,
  latestTimestampMs,
  sensorNamePattern,
  valueMagnitudeMax,
} from "./bounds.ts";
export { decodeDeviceId, encodeDeviceId, isDeviceId } from "./device-ids.ts";
export { type DeviceMessage, identityOf } from "./device-message.ts";
export { defaultLevels, type Level } from "./levels.ts";
export {
  earliestAcceptedMs,
  hasDeleted,
  isSameKeptSince,
  type KeptSince,
  keptSinceAt,
  nothingDeleted,
  type Retention,
  refusalMarginMs,
  retentionProblem,
} from "./retention.ts";
export { createSensorCatalog, defaultUnlistedMax, type SensorCatalog } from "./sensor-catalog.ts";
export {
  builtInSensors,
  isTyped,
  type SensorName,
  type SensorSpec,
  sensorByName,
  sensors,
  type TypedSensor,
} from "./sensors.ts";
export {
  alignDown,
  alignUp,
  isoMilliseconds,
  millisecondsFloor,
  type ProtoTimestamp,
  protoTimestamp,
} from "./timestamp.ts";
