import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { installEngines } from "../src/install/install-engines.ts";
import { freePorts } from "../src/plans/free-ports.ts";
import { newClusterId } from "../src/plans/kafka-plan.ts";
import { clusterMetadata } from "../src/readiness/kafka-metadata.ts";
import { quickJava, startJava, writeProperties } from "./java-process.ts";

/** A real broker that accepts clients over TLS only. */
export type SecuredBroker = AsyncDisposable & {
  /** host:port of the listener that also requires SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. */
  readonly address: string;
  /** host:port of the listener without SASL. */
  readonly tlsAddress: string;
  readonly username: string;
  readonly password: string;
  /** The login module of a client of the JVM that uses SCRAM, with its options. */
  readonly scramLogin: string;
};

const user = { username: "mesh", password: "a secret of the mesh" };
const login = "org.apache.kafka.common.security";
const bearer = "listener.name.sasl_ssl.oauthbearer";

/** How long a client may use a connection before it must authenticate again, in ms. */
const bearerSessionMs = 4000;

/**
 * Starts one with a certificate (PEM). It accepts tokens for `devicemesh` that are signed with a key of the JWKS. Resolves
 * when it accepts clients.
 */
export async function startSecuredBroker(
  server: { readonly certificate: string; readonly key: string },
  publicKeys = '{"keys":[]}',
): Promise<SecuredBroker> {
  const { kafka } = await installEngines();
  const [port = 0, tlsPort = 0, innerPort = 0, controllerPort = 0] = await freePorts(4);
  await using started = new AsyncDisposableStack();
  const folder = started.use(temporaryFolder());
  const keystore = join(folder.path, "broker.pem");
  writeFileSync(keystore, `${server.key}\n${server.certificate}`);
  const keys = join(folder.path, "keys.json");
  writeFileSync(keys, publicKeys);
  const keysUrl = pathToFileURL(keys).href;
  const data = join(folder.path, "data");
  mkdirSync(data);
  const listeners = `SASL_SSL://127.0.0.1:${port},SSL://127.0.0.1:${tlsPort},PLAINTEXT://127.0.0.1:${innerPort}`;
  const properties = join(folder.path, "broker.properties");
  writeProperties(properties, {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": "SASL_SSL:SASL_SSL,SSL:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": `${login}.plain.PlainLoginModule required user_${user.username}="${user.password}";`,
    "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": `${login}.scram.ScramLoginModule required;`,
    [`${bearer}.sasl.jaas.config`]: `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    [`${bearer}.sasl.server.callback.handler.class`]: `${login}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    "sasl.oauthbearer.jwks.endpoint.url": keysUrl,
    "sasl.oauthbearer.expected.audience": "devicemesh",
    [`${bearer}.connections.max.reauth.ms`]: bearerSessionMs,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keystore,
    "log.dirs": data,
    "auto.create.topics.enable": false,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
  });
  const java = quickJava(`${kafka}/lib/*`, [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${keysUrl}`]);
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name="${user.username}",password="${user.password}"]`,
  ]);
  await promisify(execFile)("java", [
    ...[...java, "kafka.tools.StorageTool", "format", "--cluster-id", newClusterId()],
    ...["--config", properties, ...scram],
  ]);
  const isReady = () =>
    clusterMetadata({ host: "127.0.0.1", port: innerPort, limitMs: 2000 }).then(
      ({ brokers, controller }) => brokers.length === 1 && controller !== undefined,
      () => false,
    );
  const args = [...java, "kafka.Kafka", properties];
  started.use(await startJava({ what: "the broker", args, folder: folder.path, isReady }));
  const owned = started.move();
  return {
    address: `127.0.0.1:${port}`,
    tlsAddress: `127.0.0.1:${tlsPort}`,
    ...user,
    scramLogin: `${login}.scram.ScramLoginModule required username="${user.username}" password="${user.password}";`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
