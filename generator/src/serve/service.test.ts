import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createManualClock, type ManualClock } from "@devicemesh/client/testing/manual-clock";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { sensors } from "@devicemesh/proto";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { BadRequestSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGenerator, type Generator } from "../generator.ts";
import { generatorRoutes } from "./routes.ts";

const sender: UnitSender = {
  send: async ({ readings }) => ({ kind: "acked", accepted: readings - 1, refused: 1, refusedReadings: [] }),
  close() {},
};

describe("GeneratorService", () => {
  let clock: ManualClock;
  let generator: Generator;
  const client = () =>
    createClient(
      GeneratorService,
      createRouterTransport(generatorRoutes(generator), {
        router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
      }),
    );

  beforeEach(() => {
    clock = createManualClock(Date.UTC(2026, 0, 1));
    generator = createGenerator({
      ...{ target: "nowhere", logger: silentLogger(), clock, sender, seed: 5n },
      // The sender rejects one reading of each unit, so units need several.
      limits: { unitAgeMs: 1000 },
    });
  });
  afterEach(() => generator.close());

  it("starts, returns its state, and stops", async () => {
    const { status: started } = await client().startGenerator({ devices: 5 });
    expect(started).toMatchObject({
      running: true,
      deviceCount: 5,
      seed: 5n,
      interval: { seconds: 1n, nanos: 0 },
      started: { seconds: BigInt(Date.UTC(2026, 0, 1) / 1000) },
      lastError: "",
    });
    expect(started!.faults).toBeUndefined();
    expect(started!.devices.map(({ deviceId, type }) => `${deviceId} ${type}`)).toEqual([
      ...Array.from({ length: 5 }, (_, index) => {
        const type = sensors[index % sensors.length]!.deviceType;
        return `${type.replaceAll("_", "-")}-000${index + 1} ${type}`;
      }),
    ]);
    await clock.advanceAsync(10_500);
    const { status } = await client().getGeneratorStatus({});
    expect(status).toMatchObject({ running: true, dropped: 0n });
    expect(status!.acked + status!.refused).toBeGreaterThan(40n);
    expect(status!.ackedPerSecond).toBeGreaterThan(3);
    const { status: stopped } = await client().stopGenerator({});
    expect(stopped).toMatchObject({ running: false, outbox: 0n, deviceCount: 5 });
    expect(stopped!.started).toBeUndefined();
    expect(stopped!.sent).toBe(stopped!.acked + stopped!.refused);
    expect((await client().stopGenerator({})).status).toEqual(stopped);
  });

  it("simulates with the requested interval, seed and faults, and returns them", async () => {
    const { status } = await client().startGenerator({
      devices: 2000,
      interval: { seconds: 0n, nanos: 250_000_000 },
      seed: 2n ** 64n - 1n,
      faults: { lateRate: 0.5, lateMax: { seconds: 90n }, clockSkewMax: { seconds: 1n, nanos: 500_000_000 } },
    });
    expect(status).toMatchObject({
      deviceCount: 2000,
      interval: { seconds: 0n, nanos: 250_000_000 },
      seed: 2n ** 64n - 1n,
      faults: {
        lateRate: 0.5,
        lateMean: { seconds: 30n },
        lateMax: { seconds: 90n },
        clockSkewMax: { seconds: 1n, nanos: 500_000_000 },
        invalidRate: 0,
      },
    });
    expect(status!.devices).toHaveLength(1000);
  });

  it("answers a second start with ALREADY_EXISTS", async () => {
    await client().startGenerator({ devices: 1 });
    const error = await client().startGenerator({ devices: 1 }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.AlreadyExists });
  });

  it("answers a wrong count, interval or fault with INVALID_ARGUMENT and the fields", async () => {
    const error = await client()
      .startGenerator({ devices: 0, interval: { seconds: 90_000n }, faults: { duplicateRate: 1.5 } })
      .then(() => expect.fail("it started"), ConnectError.from);
    expect(error.code).toBe(Code.InvalidArgument);
    const fields = error
      .findDetails(BadRequestSchema)
      .flatMap((detail) => detail.fieldViolations.map(({ field }) => field));
    expect(fields).toEqual(["devices", "interval", "faults.duplicate_rate"]);
    expect((await client().getGeneratorStatus({})).status).toMatchObject({ running: false, deviceCount: 0 });
  });
});
