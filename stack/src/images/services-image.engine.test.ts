import { randomUUID } from "node:crypto";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { removeMesh } from "@devicemesh/operator/testing/prepare-mesh";
import { describe, expect, it } from "vitest";
import { replayOf, replayProblem } from "../../testing/images/image-fixture.ts";
import { probeService, startService } from "../../testing/images/service-fixture.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined || replayProblem !== undefined)("the image of the services", () => {
  it("has an operator that makes the mesh, and then ingest, generator and query that serve", async () => {
    using replay = await replayOf("services", process.env);
    const { image } = replay;
    const { kafkaBrokers, connectUrl, mongodbUrl, brokers } = engines!;
    const name = `images-test-${randomUUID().slice(0, 8)}`;
    const prefix = `${name}.`;
    await using mesh = new AsyncDisposableStack();
    mesh.defer(() =>
      removeMesh({
        kafkaBrokers,
        connectUrl,
        mongodbUrl,
        prefix,
        database: name,
        partitions: 2,
        replication: brokers,
      }),
    );
    const kafka = ["--kafka-brokers", kafkaBrokers.join(","), "--topic-prefix", prefix];
    const mongodb = ["--mongodb-url", mongodbUrl, "--mongodb-database", name];
    const start = async (service: string, args: readonly string[]) => {
      const started = mesh.use(await startService(image, service, args));
      await waitUntil(async () => (await probeService(image, started.port)).exitCode === 0, {
        timeoutMs: 60_000,
        everyMs: 100,
        what: `${service} is SERVING`,
      });
      return started;
    };

    const size = ["--partitions", "2", "--replication", String(brokers)];
    const operator = await start("operator", [...kafka, ...mongodb, "--connect-url", connectUrl, ...size]);
    const ingest = await start("ingest", kafka);
    const target = ["--target", `127.0.0.1:${ingest.port}`];
    const generator = await start("generator", ["serve", ...target, "--devices", "2"]);
    const query = await start("query", mongodb);

    const series = async (): Promise<readonly unknown[]> => {
      const response = await fetch(`http://127.0.0.1:${query.port}/devicemesh.v1.QueryService/ListSeries`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      return ((await response.json()) as { readonly series?: readonly unknown[] }).series ?? [];
    };
    await waitUntil(async () => (await series()).length >= 2, {
      timeoutMs: 60_000,
      everyMs: 100,
      what: "what the generator of the image sends is found by its query",
    });
    for (const service of [generator, query, ingest, operator]) expect(await service.stop()).toBe(0);
  }, 600_000);
});
