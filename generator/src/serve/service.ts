import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type Faults,
  FaultsSchema,
  GeneratedDeviceSchema,
  type GeneratorStatus,
  GeneratorStatusSchema,
} from "@devicemesh/proto/es/devicemesh/v1/generator_pb.ts";
import type { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { type FaultPlan, hasFaults, noFaults } from "../faults/fault-plan.ts";
import type { Generator, GeneratorState } from "../generator.ts";
import { devicesListedMax } from "../limits.ts";
import { deviceType } from "../simulate/devices.ts";

/** Implements GeneratorService over a generator: it only translates. Passes on the generator's RpcErrors. */
export function createGeneratorService(generator: Generator): ServiceImpl<typeof GeneratorService> {
  const status = () => statusOf(generator.state());
  return {
    startGenerator({ devices, interval, seed, faults }) {
      generator.start({
        devices,
        intervalMs: interval && millisecondsOf(interval),
        seed,
        faults: faults && faultPlanOf(faults),
      });
      return { status: status() };
    },
    async stopGenerator() {
      await generator.stop();
      return { status: status() };
    },
    getGeneratorStatus: () => ({ status: status() }),
  };
}

function statusOf(state: GeneratorState): GeneratorStatus {
  const { simulation, startedMs, lastError } = state;
  const status = create(GeneratorStatusSchema, {
    running: state.running,
    sent: BigInt(state.sent),
    acked: BigInt(state.acked),
    refused: BigInt(state.refused),
    outbox: BigInt(state.pending),
    dropped: BigInt(state.dropped),
    ackedPerSecond: state.ackedPerSecond,
    lastError: lastError?.text ?? "",
  });
  if (lastError !== undefined) status.lastErrorAt = create(TimestampSchema, protoTimestamp(lastError.atMs));
  if (startedMs !== undefined) status.started = create(TimestampSchema, protoTimestamp(startedMs));
  if (simulation !== undefined) {
    status.devices = simulation.devices.ids
      .slice(0, devicesListedMax)
      .map((deviceId, index) =>
        create(GeneratedDeviceSchema, { deviceId, type: deviceType(simulation.devices, index) }),
      );
    status.deviceCount = simulation.devices.count;
    status.interval = durationOf(simulation.intervalMs);
    status.seed = simulation.seed;
    if (hasFaults(simulation.faults)) status.faults = faultsOf(simulation.faults);
  }
  return status;
}

function faultPlanOf(faults: Faults): FaultPlan {
  const { lateMean, lateMax, clockSkewMax, offlineMean, $typeName, $unknown, ...rates } = faults;
  return {
    ...rates,
    lateMeanMs: lateMean ? millisecondsOf(lateMean) : noFaults.lateMeanMs,
    lateMaxMs: lateMax ? millisecondsOf(lateMax) : noFaults.lateMaxMs,
    clockSkewMaxMs: clockSkewMax ? millisecondsOf(clockSkewMax) : noFaults.clockSkewMaxMs,
    offlineMeanMs: offlineMean ? millisecondsOf(offlineMean) : noFaults.offlineMeanMs,
  };
}

function faultsOf({ lateMeanMs, lateMaxMs, clockSkewMaxMs, offlineMeanMs, ...rates }: FaultPlan): Faults {
  return create(FaultsSchema, {
    ...rates,
    lateMean: durationOf(lateMeanMs),
    lateMax: durationOf(lateMaxMs),
    clockSkewMax: durationOf(clockSkewMaxMs),
    offlineMean: durationOf(offlineMeanMs),
  });
}

function millisecondsOf({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}
