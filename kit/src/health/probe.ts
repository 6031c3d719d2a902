import {
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";

/** The status that a server reports, or why there is none: one line for users. */
export type ProbeResult =
  | { readonly kind: "serving" }
  | { readonly kind: "not-serving"; readonly reason: string };

/**
 * Requests the status of a server, grpc-js or Connect, from grpc.health.v1 in cleartext. Never rejects: any error is a
 * reason. `service` "" is the server as a whole.
 */
export async function probe(options: {
  /** HOST:PORT. */
  readonly address: string;
  readonly service: string;
  readonly timeoutMs: number;
  /** Whether any status is sufficient. */
  readonly answering?: boolean;
}): Promise<ProbeResult> {
  const { address, service, timeoutMs, answering = false } = options;
  const client = new HealthClient(`dns:${address}`, credentials.createInsecure(), {
    "grpc.enable_channelz": 0,
  });
  const { promise, resolve, reject } = Promise.withResolvers<ServingStatus>();
  client.check({ service }, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) =>
    error ? reject(error) : resolve(response.status),
  );
  const subject = service === "" ? address : `${service} at ${address}`;
  const notServing = (reason: string): ProbeResult => ({ kind: "not-serving", reason });
  return promise
    .then((serving): ProbeResult => {
      return serving === ServingStatus.SERVING || answering
        ? { kind: "serving" }
        : notServing(`${subject} is ${nameOf(serving)}`);
    })
    .catch((error: ServiceError) => notServing(`${subject}: ${reasonOf(error, service, timeoutMs)}`))
    .finally(() => client.close());
}

function nameOf(serving: ServingStatus): string {
  return Object.entries(ServingStatus).find(([, value]) => value === serving)?.[0] ?? `status ${serving}`;
}

function reasonOf({ code, details }: ServiceError, service: string, timeoutMs: number): string {
  if (code === status.DEADLINE_EXCEEDED) return `no answer in ${timeoutMs} ms`;
  if (code === status.NOT_FOUND) return `it has no service ${JSON.stringify(service)}`;
  return details.replaceAll(/\s+/g, " ");
}
