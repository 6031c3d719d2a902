import { defineMetrics, type Metrics, samplesBy } from "@devicemesh/kit/observability/metrics";
import type { DiskReserve } from "./admission.ts";

/** The sources of the embedded store's metrics. */
export const storeMetrics = defineMetrics({
  diskState: {
    name: "devicemesh_embedded_disk_state",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the disk of the store has enough space (ample), will soon be full (low), or is full: then readings are rejected",
    labels: { state: ["ample", "low", "full"] },
  },
  diskFree: {
    name: "devicemesh_embedded_disk_free_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Free bytes on the disk of the store",
  },
  diskReserve: {
    name: "devicemesh_embedded_disk_reserve_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Readings are rejected while less is free (--min-free)",
  },
});

/** Registers the store's metrics. */
export function registerStoreMetrics(metrics: Metrics, reserve: Pick<DiskReserve, "measured">): void {
  metrics.register(storeMetrics, {
    diskState() {
      const { state } = reserve.measured() ?? {};
      if (state === undefined) return undefined;
      return samplesBy("state", { ample: 0, low: 0, full: 0, [state]: 1 });
    },
    diskFree: () => reserve.measured()?.freeBytes,
    diskReserve: () => reserve.measured()?.minFreeBytes,
  });
}
