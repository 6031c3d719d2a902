import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { createGenerator } from "./generator.ts";

it("a generator delivers soon after the name of its target resolves, and has logged once what it waited for", async () => {
  using host = lateHost("envoy.example");
  await using ingest = await startFakeIngest();
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  await using generator = createGenerator({
    target: `${host.name}:${ingest.target.split(":").at(-1)}`,
    logger: createLogger({ name: "generator", level: "info", destination }),
    limits: { unitAgeMs: 20 },
  });
  generator.start({ devices: 4, intervalMs: 10 });
  const warnings = () => lines.filter(({ level }) => level === "warn");
  await waitUntil(() => warnings().length > 0, { timeoutMs: 20_000, what: "it waits" });
  // Several attempts later, with growing delays.
  await waitUntil(() => generator.state().sent > 300, { timeoutMs: 20_000, what: "it continues to measure" });
  expect(warnings()).toEqual([
    expect.objectContaining({
      reason: expect.stringContaining("Name resolution failed for target dns:envoy.example"),
    }),
  ]);
  host.appear();
  await waitUntil(() => generator.state().acked > 0, {
    timeoutMs: 15_000,
    what: "readings are acknowledged",
  });
});
