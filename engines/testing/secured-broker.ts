import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { installEngines } from "../src/install/install-engines.ts";
import { freePorts } from "../src/plans/free-ports.ts";
import { newClusterId } from "../src/plans/kafka-plan.ts";
import { clusterMetadata } from "../src/readiness/kafka-metadata.ts";

/** A real broker that accepts clients over TLS only. */
export type SecuredBroker = AsyncDisposable & {
  /** host:port of the listener that also requires SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  readonly address: string;
  /** host:port of the listener without SASL. */
  readonly tlsAddress: string;
  readonly username: string;
  readonly password: string;
};

const user = { username: "mesh", password: "a secret of the mesh" };
const login = "org.apache.kafka.common.security";

/** Starts one with a certificate (PEM). Resolves when it accepts clients. */
export async function startSecuredBroker(server: {
  readonly certificate: string;
  readonly key: string;
}): Promise<SecuredBroker> {
  const { kafka } = await installEngines();
  const [port = 0, tlsPort = 0, innerPort = 0, controllerPort = 0] = await freePorts(4);
  await using started = new AsyncDisposableStack();
  const folder = started.use(temporaryFolder());
  const keystore = join(folder.path, "broker.pem");
  writeFileSync(keystore, `${server.key}\n${server.certificate}`);
  const data = join(folder.path, "data");
  mkdirSync(data);
  const listeners = `SASL_SSL://127.0.0.1:${port},SSL://127.0.0.1:${tlsPort},PLAINTEXT://127.0.0.1:${innerPort}`;
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": "SASL_SSL:SASL_SSL,SSL:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": `${login}.plain.PlainLoginModule required user_${user.username}="${user.password}";`,
    "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keystore,
    "log.dirs": data,
    "auto.create.topics.enable": false,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
  };
  const properties = join(folder.path, "broker.properties");
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const java = ["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", `${kafka}/lib/*`];
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name="${user.username}",password="${user.password}"]`,
  ]);
  await promisify(execFile)("java", [
    ...[...java, "kafka.tools.StorageTool", "format", "--cluster-id", newClusterId()],
    ...["--config", properties, ...scram],
  ]);
  const outputFile = join(folder.path, "output.txt");
  const output = openSync(outputFile, "w");
  const child = spawn("java", [...java, "kafka.Kafka", properties], { stdio: ["ignore", output, output] });
  closeSync(output);
  const exited = once(child, "exit");
  started.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null)
      throw new Error(`the broker has ended:\n${readFileSync(outputFile, "utf8").slice(-2000)}`);
    const asked = clusterMetadata({ host: "127.0.0.1", port: innerPort, limitMs: 2000 });
    return asked.then(
      ({ brokers, controller }) => brokers.length === 1 && controller !== undefined,
      () => false,
    );
  };
  await waitUntil(isReady, { timeoutMs: 120_000, everyMs: 100, what: "the broker has started" });
  const owned = started.move();
  return {
    address: `127.0.0.1:${port}`,
    tlsAddress: `127.0.0.1:${tlsPort}`,
    ...user,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
