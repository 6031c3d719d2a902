import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import type { GeneratorStatus } from "@devicemesh/proto/es/devicemesh/v1/generator_pb.ts";

/** The fields of the form as text. */
export type SimulatorForm = Readonly<
  Record<
    | "devices"
    | "interval"
    | "seed"
    | "late"
    | "lateMean"
    | "duplicates"
    | "shuffle"
    | "offline"
    | "offlineMean"
    | "skew"
    | "invalid",
    string
  >
>;

const noFaults = {
  ...{ late: "0", lateMean: "30", duplicates: "0", shuffle: "0" },
  ...{ offline: "0", offlineMean: "30", skew: "0", invalid: "0" },
};

/** The values that the buttons beside the faults fill in. */
export const faultPresets = {
  none: noFaults,
  rough: { ...noFaults, late: "10", duplicates: "5", shuffle: "20", offline: "1", skew: "2" },
} as const;

/** The initial form, and the form of a running simulation. Pure. */
export function formOf(status: GeneratorStatus | undefined): SimulatorForm {
  if (!status?.running) return { devices: "12", interval: "1", seed: "", ...noFaults };
  const { faults } = status;
  const percent = (share = 0) => String(Number((share * 100).toFixed(6)));
  const seconds = (duration: Parameters<typeof durationMs>[0] | undefined, otherwise: string) =>
    duration ? String(durationMs(duration) / 1000) : otherwise;
  return {
    devices: String(status.deviceCount),
    interval: seconds(status.interval, "1"),
    seed: String(status.seed),
    late: percent(faults?.lateRate),
    lateMean: seconds(faults?.lateMean, noFaults.lateMean),
    duplicates: percent(faults?.duplicateRate),
    shuffle: String(faults?.shuffleSpan ?? 0),
    offline: percent(faults?.offlineRate),
    offlineMean: seconds(faults?.offlineMean, noFaults.offlineMean),
    skew: seconds(faults?.clockSkewMax, "0"),
    invalid: percent(faults?.invalidRate),
  };
}

/** Returns the request of a form; the server checks the bounds of its fields. Pure. */
export function startRequest(form: SimulatorForm) {
  const share = (text: string) => Number(text) / 100;
  const duration = (text: string) => durationFromMs(Math.round(Number(text) * 1000));
  return {
    devices: Number(form.devices),
    interval: duration(form.interval),
    ...(form.seed.trim() !== "" && { seed: BigInt(form.seed) }),
    faults: {
      lateRate: share(form.late),
      lateMean: duration(form.lateMean),
      duplicateRate: share(form.duplicates),
      shuffleSpan: Number(form.shuffle),
      offlineRate: share(form.offline),
      offlineMean: duration(form.offlineMean),
      clockSkewMax: duration(form.skew),
      invalidRate: share(form.invalid),
    },
  };
}
