/** The pattern of a device id: 1 to 128 of [A-Za-z0-9_.:/@~=%-], the first character alphanumeric, `_` or `%`. */
export const deviceIdPattern = /^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,127}$/;

/** The pattern of a sensor's name: 1 to 64 of [A-Za-z0-9_.-], the first character alphanumeric or _. */
export const sensorNamePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** The earliest timestamp of a reading: 2000-01-01T00:00:00Z, in milliseconds since 1970. */
export const earliestTimestampMs = Date.UTC(2000, 0, 1);

/** The end of the range of a protobuf Timestamp, rounded up: 10000-01-01T00:00:00Z. */
export const latestTimestampMs = Date.UTC(10000, 0, 1);

/** The largest distance of a reading's timestamp ahead of the server: one day, in milliseconds. */
export const clockAheadMaxMs = 86_400_000;

/**
 * The largest magnitude of a value, whatever its sensor: 1e100. Squares of such values, and their sums over any number
 * of readings, are far below the largest double, so every figure of an answer is a finite number.
 */
export const valueMagnitudeMax = 1e100;

/** The maximum number of readings in a frame. */
export const frameReadingsMax = 1000;

/** The maximum size of a frame in bytes: 1 MiB. */
export const frameBytesMax = 1024 * 1024;
