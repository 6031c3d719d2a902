import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { renderTemplate } from "@devicemesh/engines/plans/template";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { imageEntries, imageFlaws } from "../../testing/images/image-contents.ts";
import { checkout, replayOf, replayProblem } from "../../testing/images/image-fixture.ts";
import { runImage, startImage } from "../../testing/images/image-run.ts";

const engines = await testEngines();
const config = "/opt/devicemesh/config/connect-worker.properties";
/** The worker refuses to start where the folder of secrets is not there. */
const secret = "/run/secrets/mongodb_url";

describe.skipIf(engines === undefined || replayProblem !== undefined)("the image of Kafka Connect", () => {
  it("is a worker with the MongoDB sink, that advertises its own address and ends as it is asked", async () => {
    using replay = await replayOf("connect", process.env);
    const { image, folder } = replay;
    expect(imageFlaws(image)).toEqual([]);
    const bytes = imageEntries(image).reduce((sum, entry) => sum + entry.bytes, 0);
    process.stdout.write(`images: connect adds ${(bytes / 1e6).toFixed(1)} MB to its base\n`);
    expect(bytes).toBeLessThan(80e6);

    const [port] = await freePorts(1);
    const template = readFileSync(join(checkout, "engines/config/connect-worker.properties"), "utf8");
    const values = {
      kafkaBrokers: engines!.kafkaBrokers.join(","),
      listenHost: "127.0.0.1",
      // Of all workers together: the entry script puts the task's own address in its place.
      advertisedHost: "connect",
      port: port!,
      pluginFolder: "/opt/devicemesh/kafka/plugins",
      secretsFolder: dirname(secret),
      replication: engines!.brokers,
    };
    const file = join(folder, "connect-worker.properties");
    // A group and topics of its own, beside those of the engines' worker.
    writeFileSync(file, renderTemplate(template.replaceAll("devicemesh-connect", "images-connect"), values));
    const secretFile = join(folder, "mongodb_url");
    writeFileSync(secretFile, engines!.mongodbUrl);
    const environment = { DEVICEMESH_ADDRESS: "127.0.0.1", CONNECT_PORT: String(port) };
    const healthy = () => runImage(image, { command: ["healthy"], environment });

    await using worker = await startImage(image, {
      environment,
      configs: { [config]: file, [secret]: secretFile },
    });
    expect((await healthy()).output).toMatch(/^Kafka Connect on \d+ does not list its connectors: /);
    const ready = async () => worker.hasEnded() || (await healthy()).exitCode === 0;
    await waitUntil(ready, { timeoutMs: 120_000, everyMs: 250, what: "the worker lists its connectors" });
    expect(worker.hasEnded(), worker.output.stdout + worker.output.stderr).toBe(false);
    expect(worker.output.stdout).not.toMatch(/ERROR|Exception/);

    const plugins = (await (await fetch(`http://127.0.0.1:${port}/connector-plugins`)).json()) as {
      readonly class: string;
      readonly version: string;
    }[];
    const pom = readFileSync(join(checkout, "engines/kafka/pom.xml"), "utf8");
    const version = /mongo-kafka-connect<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1];
    expect(plugins).toContainEqual(
      expect.objectContaining({ class: "com.mongodb.kafka.connect.MongoSinkConnector", version }),
    );
    expect(await worker.stop()).toBe(143);
  }, 600_000);
});
