import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  errorOf,
  frameOf,
  ingestServers,
  startTestIngest,
  thermostatReadings,
} from "../../testing/ingest-fixture.ts";

describe.each(ingestServers)("the flow of PublishReadings on %s", (server) => {
  it("reads only a few appends ahead of the log", async () => {
    await using test = await startTestIngest({ server, config: { streamAppendsMax: 3 } });
    test.memory.hold();
    const frame = frameOf(...thermostatReadings("a", 1000));
    const { call, outcome } = test.client.openStream();
    // Far more than the buffers between a client and a server.
    const frames = 400;
    let written = 0;
    const writeOn = () => {
      while (written < frames) {
        written++;
        if (!call.write(frame)) return void call.once("drain", writeOn);
      }
      call.end();
    };
    writeOn();
    await waitUntil(() => test.memory.held === 3);
    await untilSteady(() => written);
    expect(test.memory.held).toBe(3);
    expect(test.ingest.stats().frames).toBe(3);
    expect(written).toBeLessThan(frames / 2);
    test.memory.release();
    expect(errorOf(await outcome).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it("bounds the readings in flight over all streams, and serves them in order", async () => {
    await using test = await startTestIngest({ server, config: { readingsInFlightMax: 2500 } });
    test.memory.hold();
    const frame = frameOf(...thermostatReadings("a", 1000));
    const outcomes = Array.from({ length: 6 }, () => test.client.publish(frame));
    await waitUntil(() => test.ingest.stats().frames === 6);
    expect(test.ingest.stats().readingsInFlight).toBe(2000);
    expect(test.memory.held).toBe(2);
    test.memory.release();
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toMatchObject({ kind: "ok", response: { accepted: 1000n } });
    }
    expect(test.ingest.stats().readingsInFlight).toBe(0);
  });
});

/** Resolves when the number has not changed for 100 ms. */
async function untilSteady(read: () => number): Promise<void> {
  let last = read();
  let since = performance.now();
  await waitUntil(() => {
    if (read() !== last) {
      last = read();
      since = performance.now();
    }
    return performance.now() - since > 100;
  });
}
