import { ingestConfig, startIngest } from "@devicemesh/ingest";
import { createMemoryMessageLog } from "@devicemesh/ingest/testing/memory-message-log";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { closedPort } from "@devicemesh/kit/testing/late-hosts-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { readContractImage } from "@devicemesh/proto/image";
import { describe, expect, it } from "vitest";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

describe.skipIf(envoyBinary === undefined)("Envoy that starts before what is behind it", () => {
  it("is ready, and forwards calls as soon as a service listens", async () => {
    const port = await closedPort();
    const unreachable = [localhost(1)];
    await using envoy = await startEnvoy({
      ...quietEnvoy,
      ingest: [localhost(port)],
      query: unreachable,
      generator: unreachable,
    });
    using client = createUnitClient(`127.0.0.1:${envoy.plain.port}`);
    const publish = async () => {
      const unit = client.open();
      unit.write(readingsOf("late", 0, 10));
      return (await unit.end()).kind;
    };
    expect(await publish()).not.toBe("acked");
    const { log } = createMemoryMessageLog();
    await using _ingest = await startIngest(ingestConfig({ port }), {
      log,
      clock: Date.now,
      logger: silentLogger(),
      image: readContractImage(),
    });
    await waitUntil(async () => (await publish()) === "acked", {
      timeoutMs: 30_000,
      everyMs: 100,
      what: "a unit is acknowledged",
    });
  });
});
