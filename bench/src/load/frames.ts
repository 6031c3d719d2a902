import { sensors } from "@devicemesh/proto";
import { type Reading, Reading as ReadingCodec } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { createRandom, createWander, type FleetDevice } from "./fleet.ts";

/** An endless sequence of a gateway's frames: each later than the one before for every device. */
export type FrameSource = {
  readonly readingsPerFrame: number;
  /** Returns the next frame: the bytes of a PublishReadingsRequest, in a separate buffer. */
  next(): Buffer;
};

/**
 * Creates pre-encoded frames: making one is a copy and a few written bytes, because only the seconds of each timestamp
 * change. Values vary over `templates` frames and then repeat. A frame has `secondsPerFrame` readings of each device, a
 * second apart.
 */
export function createFrameSource(options: {
  readonly devices: readonly FleetDevice[];
  readonly secondsPerFrame: number;
  /** The second (since 1970) of the first readings. */
  readonly startSeconds: number;
  readonly templates: number;
  readonly seed: number;
  /** The first frame is the latest of a day, and each other one is somewhere in that day; in order if left out. */
  readonly isLate?: boolean;
}): FrameSource {
  const { devices, secondsPerFrame } = options;
  const random = createRandom(options.seed);
  const wanders = devices.map(({ sensorCode }) => createWander(sensorCode, random));
  const templates = Array.from({ length: options.templates }, () =>
    encodeTemplate(devices, secondsPerFrame, (index) => wanders[index]!()),
  );
  let frame = 0;
  const secondsOf = options.isLate
    ? lateSeconds(options)
    : (index: number) => options.startSeconds + index * secondsPerFrame;
  return {
    readingsPerFrame: devices.length * secondsPerFrame,
    next() {
      const { bytes, secondsAt } = templates[frame % templates.length]!;
      const seconds = secondsOf(frame++);
      const copy = Buffer.from(bytes);
      for (let row = 0; row < secondsAt.length; row++) {
        writeSeconds(copy, secondsAt[row]!, seconds + Math.floor(row / devices.length));
      }
      return copy;
    },
  };
}

const daySeconds = 86_400;

/** A prime: its multiples visit each place of a day once. */
const lateStride = 9973;

/** Returns the second of each frame: after the latest one of a day the others, far apart, each once. */
function lateSeconds({
  secondsPerFrame,
  startSeconds,
  seed,
}: {
  readonly secondsPerFrame: number;
  readonly startSeconds: number;
  readonly seed: number;
}): (index: number) => number {
  const places = Math.floor(daySeconds / secondsPerFrame);
  return (index) => {
    if (index > places) throw new RangeError("a day of late frames has been sent");
    if (index === 0) return startSeconds + daySeconds;
    return startSeconds + (((index + seed) * lateStride) % places) * secondsPerFrame;
  };
}

type Template = { readonly bytes: Buffer; readonly secondsAt: readonly number[] };

/** The smallest number of seconds since 1970 that takes five bytes as a varint; up to the year 3058 it still does. */
const fiveByteSeconds = 2 ** 28;

function encodeTemplate(
  devices: readonly FleetDevice[],
  secondsPerFrame: number,
  nextValue: (index: number) => number,
): Template {
  const parts: Buffer[] = [];
  const secondsAt: number[] = [];
  let length = 0;
  for (let second = 0; second < secondsPerFrame; second++) {
    for (const [index, device] of devices.entries()) {
      const reading = Buffer.from(ReadingCodec.encode(readingOf(device, nextValue(index))).finish());
      if (reading.length > 127)
        throw new RangeError(`a reading of ${device.deviceId} has ${reading.length} bytes`);
      // Each one is a tag and a length of one byte; inside, the id (two bytes and its own) precedes the timestamp (tag,
      // length, tag of the seconds).
      secondsAt.push(length + 2 + 2 + device.deviceId.length + 3);
      parts.push(Buffer.from([readingsTag, reading.length]), reading);
      length += 2 + reading.length;
    }
  }
  return { bytes: Buffer.concat(parts), secondsAt };
}

/** Field 1 of PublishReadingsRequest, length-delimited. */
const readingsTag = 0x0a;

function readingOf({ deviceId, sensorCode, phaseMs }: FleetDevice, value: number): Reading {
  return {
    deviceId,
    timestamp: { seconds: BigInt(fiveByteSeconds), nanos: phaseMs * 1_000_000 },
    measurement: measurementOf(sensorCode, value),
  };
}

/** The oneof member of a reading of the sensor with this code. */
export function measurementOf(sensorCode: number, value: number): NonNullable<Reading["measurement"]> {
  const spec = sensors[sensorCode];
  if (!spec) throw new RangeError(`no device type has the code ${sensorCode}`);
  const measurement = { $case: camelCase(spec.deviceType), value: { [camelCase(spec.sensor)]: value } };
  return measurement as unknown as NonNullable<Reading["measurement"]>;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function writeSeconds(bytes: Buffer, at: number, seconds: number): void {
  const high = Math.floor(seconds / 2 ** 28);
  bytes[at] = (seconds & 0x7f) | 0x80;
  bytes[at + 1] = ((seconds >>> 7) & 0x7f) | 0x80;
  bytes[at + 2] = ((seconds >>> 14) & 0x7f) | 0x80;
  bytes[at + 3] = ((seconds >>> 21) & 0x7f) | 0x80;
  bytes[at + 4] = high & 0x7f;
}
