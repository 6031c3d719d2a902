import type { Fleet } from "../fleet/fleet.ts";

/** A message of a sampled device in the log. Times are ms of simulated time. */
export type SampleRecord = {
  readonly device: number;
  readonly deviceId: string;
  readonly reading: number;
  readonly copy: number;
  readonly timestampMs: number;
  readonly value: number;
  /** When it is appended, by a clock that is right. */
  readonly appendMs: number;
  /** When it is appended, by the clock of its broker. */
  readonly arrivedMs: number;
  /** The largest append time of its partition until then; set at the append. */
  newestMs: number;
  /** Set at the append; -1 before. */
  offset: number;
};

/** The messages of the sampled devices, by partition, in the order of their append. */
export function sampleRecords(
  fleet: Fleet,
  devices: readonly number[],
): readonly (readonly SampleRecord[])[] {
  const lists = Array.from({ length: fleet.config.partitions }, (): SampleRecord[] => []);
  for (const device of devices) {
    const partition = fleet.partition(device);
    const deviceId = fleet.deviceId(device);
    fleet.eachAppend(device, ({ reading, copy, timestampMs, appendMs, arrivedMs, value }) => {
      const ids = { device, deviceId, reading, copy };
      lists[partition]?.push({ ...ids, timestampMs, value, appendMs, arrivedMs, newestMs: 0, offset: -1 });
    });
  }
  for (const list of lists) {
    list.sort(
      (a, b) => a.appendMs - b.appendMs || a.device - b.device || a.reading - b.reading || a.copy - b.copy,
    );
  }
  return lists;
}
