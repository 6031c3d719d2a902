import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections } from "@devicemesh/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, goodRecord, type MeshFixture, openMeshFixture } from "../testing/mesh-fixture.ts";
import { configOf } from "../testing/operator-fixture.ts";
import { planMesh } from "./definition/plan.ts";

const engines = await testEngines();

describe.skipIf(!engines?.secretsFolder)("sinks whose connection string is a file of the workers'", () => {
  const secretsFolder = engines?.secretsFolder ?? "";
  const secret = "pa55-of-the-sink";
  let mesh: MeshFixture;
  let reference: string;

  beforeAll(async () => {
    const options = freshMesh(engines!);
    const file = `${options.database}-url`;
    reference = `$\{directory:${secretsFolder}:${file}}`;
    // The secret is not a user's password, because the sink checks its user's rights, which the stand-in for MongoDB
    // does not support.
    // An option that the driver does not know is just as secret here, and appears in no other log.
    const { host } = new URL(engines!.mongodbUrl);
    writeFileSync(join(secretsFolder, file), `mongodb://${host}/?w=majority&journal=true&secret=${secret}\n`);
    mesh = await openMeshFixture({ ...options, sinkMongodbUrl: reference });
  });

  afterAll(() => mesh?.[Symbol.asyncDispose]());

  it("store messages with a connection string that only the file contains", async () => {
    await mesh.append(mesh.names.topics.messages, [goodRecord("a", 1), goodRecord("a", 2)]);
    await mesh.sunk("messages");
    expect(await mesh.engines.db.collection(collections.messages).countDocuments()).toBe(2);
  });

  it("show the file's name and not its content in the REST interface, the topic of configurations and the logs", async () => {
    const name = mesh.names.connectors.messages;
    for (const path of ["", "/config", "/status", "/tasks", "/tasks-config"]) {
      const text = await (await fetch(`${engines!.connectUrl}/connectors/${name}${path}`)).text();
      expect(text).not.toContain(secret);
      if (path === "/config") expect(text).toContain(reference);
    }
    const records = await configurationsOf(name);
    expect(records.join()).toContain(reference);
    expect(records.join()).not.toContain(secret);
    const logs = join(engines!.folder, "logs");
    const texts = readdirSync(logs, { recursive: true, encoding: "utf8" })
      .filter((file) => file.includes("connect"))
      .map((file) => readFileSync(join(logs, file), "utf8"));
    expect(texts.join()).toContain(name);
    expect(texts.join()).not.toContain(secret);
  });

  it("do not differ for the operator, and differ in the reference if another one is configured", async () => {
    const config = configOf(mesh.options);
    expect(await planMesh(config)).toMatchObject({ exitCode: 0 });
    const { text, exitCode } = await planMesh({ ...config, sinkMongodbUrl: "mongodb://u:s3cret@db" });
    expect(exitCode).toBe(3);
    expect(text).toContain(`connection.uri: ${reference} -> mongodb://u:…@db/?w=majority&journal=true`);
    expect(text).not.toContain("s3cret");
  });

  it("are rejected without the password in the error if the file has no connection string", async () => {
    const file = `${mesh.options.database}-wrong`;
    writeFileSync(join(secretsFolder, file), "mongodb://sink:wr0ng-pass@@/");
    const { rest } = mesh.engines;
    const name = mesh.names.connectors.messages;
    const config = await rest.readConfig(name);
    const wrong = { ...config, "connection.uri": `$\{directory:${secretsFolder}:${file}}` };
    const error = await rest.writeConfig(name, wrong).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(String(error)).toContain("connection.uri");
    expect(String(error)).not.toContain("wr0ng-pass");
  });

  /** Returns the records of a connector and its tasks in the topic of configurations. */
  async function configurationsOf(name: string): Promise<string[]> {
    const topic = "devicemesh-connect-configs";
    const consumer = mesh.engines.kafka.consumer({ groupId: `${mesh.options.database}-configurations` });
    const found: string[] = [];
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        async eachMessage({ message }) {
          if (message.key?.toString().includes(name)) found.push(message.value?.toString() ?? "");
        },
      });
      await waitUntil(() => found.some((text) => text.includes("connection.uri")), {
        timeoutMs: 30_000,
        what: "the topic of configurations has the connector",
      });
    } finally {
      await consumer.disconnect();
    }
    return found;
  }
});
