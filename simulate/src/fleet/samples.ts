import { samplesPerPartition } from "../limits.ts";
import type { Fleet } from "./fleet.ts";

/** The devices whose every reading is followed: the first ones of each partition, ordinary and hot. */
export function chooseSamples(fleet: Fleet): readonly number[] {
  const { devices, partitions } = fleet.config;
  const wanted = samplesPerPartition.ordinary + samplesPerPartition.hot;
  const found = Array.from({ length: partitions }, () => ({ ordinary: 0, hot: 0 }));
  const samples: number[] = [];
  for (let device = 0; device < devices && samples.length < wanted * partitions; device++) {
    const counts = found[fleet.partition(device)] as { ordinary: number; hot: number };
    const kind = fleet.isHot(device) ? "hot" : "ordinary";
    if (counts[kind] >= samplesPerPartition[kind]) continue;
    counts[kind]++;
    samples.push(device);
  }
  return samples;
}
