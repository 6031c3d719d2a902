import { once } from "node:events";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import { type DeviceMessage, protoTimestamp } from "@devicemesh/proto";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { credentials, Metadata } from "@grpc/grpc-js";
import mqtt from "mqtt";

/** A certificate that devices or gateways present, its key, and the authority of the server: PEM. */
export type DeviceIdentity = { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };

/** One way to send readings to one node. */
export type Sender = {
  /**
   * Resolves when all readings of a unit are acknowledged.
   * @throws Error if they are not, or not yet: they may be stored all the same.
   */
  send(unit: readonly DeviceMessage[]): Promise<void>;
  close(): void;
};

/** The ways in which devices send. */
export const sendingWays = ["gRPC", "HTTP", "MQTT"] as const;

export type SendingWay = (typeof sendingWays)[number];

const attemptLimitMs = 20_000;

/** Makes senders to a node; `host` is its address. */
export const createSender: Readonly<Record<SendingWay, (host: string, identity: DeviceIdentity) => Sender>> =
  {
    gRPC: createGrpcSender,
    HTTP: (host, identity) => ({
      send: (unit) => postReadings(`${host}:8444`, identity, unit),
      close() {},
    }),
    MQTT: (host, identity) => ({ send: (unit) => publishMessages(host, identity, unit), close() {} }),
  };

/** gRPC with the credentials of a device or gateway. */
export function grpcCredentials({ ca, cert, key }: DeviceIdentity) {
  return credentials.createSsl(ca, key, cert);
}

function createGrpcSender(host: string, identity: DeviceIdentity): Sender {
  const client = new IngestServiceClient(`${host}:8444`, grpcCredentials(identity), {
    // Its own pool: a broken connection must not be shared with the other address.
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    send: (unit) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + attemptLimitMs;
        const call = client.publishReadings(new Metadata(), { deadline }, (error) =>
          error ? reject(error) : resolve(),
        );
        call.write({
          readings: unit.map(({ deviceId, timestampMs, value }) => ({
            deviceId,
            timestamp: protoTimestamp(timestampMs),
            measurement: { $case: "thermostat", value: { temperature: value } },
          })),
        });
        call.end();
      }),
    close: () => client.close(),
  };
}

/** One POST /v1/readings, through Envoy to the gateway. */
async function postReadings(
  target: string,
  identity: DeviceIdentity,
  unit: readonly DeviceMessage[],
): Promise<void> {
  const call = request(`https://${target}/v1/readings`, {
    ...identity,
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json" },
    signal: AbortSignal.timeout(attemptLimitMs),
  });
  call.end(
    JSON.stringify(
      unit.map(({ deviceId, timestampMs, value }) => ({
        ...{ device_id: deviceId, timestamp: new Date(timestampMs).toISOString(), temperature: value },
      })),
    ),
  );
  const [response] = await once(call, "response");
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`status ${response.statusCode}`);
  }
  const { accepted } = (await json(response)) as { readonly accepted: number };
  if (accepted !== unit.length) throw new Error(`${accepted} of ${unit.length} readings are accepted`);
}

/** A message with QoS 1 for each reading, each acknowledged, over one connection. */
async function publishMessages(
  host: string,
  identity: DeviceIdentity,
  unit: readonly DeviceMessage[],
): Promise<void> {
  const client = await mqtt.connectAsync(
    `mqtts://${host}:8883`,
    { ...identity, connectTimeout: attemptLimitMs, reconnectPeriod: 0 },
    // One attempt.
    false,
  );
  const limit = AbortSignal.timeout(attemptLimitMs);
  // What is not acknowledged when the connection breaks never will be.
  const broken = new Promise<never>((_, reject) => {
    limit.addEventListener("abort", () => reject(new Error("not acknowledged in time")));
    client.once("close", () => reject(new Error("the connection broke")));
    client.once("error", reject);
  });
  broken.catch(() => {});
  try {
    const acknowledged = unit.map(({ deviceId, timestampMs, value }) =>
      client.publishAsync(
        deviceId,
        JSON.stringify({ timestamp: new Date(timestampMs).toISOString(), temperature: value }),
        { qos: 1 },
      ),
    );
    await Promise.race([Promise.all(acknowledged), broken]);
  } finally {
    client.end(true);
  }
}
