/**
 * The scopes of a token. None includes another. `devicemesh.send` is for readings over HTTP and MQTT, which the gateway
 * accepts; no RPC needs it.
 */
export const scopes = [
  "devicemesh.read",
  "devicemesh.send",
  "devicemesh.generator",
  "devicemesh.operate",
] as const;

/** A scope. */
export type Scope = (typeof scopes)[number];

/** The credentials that an RPC requires: a token with a scope, a device's certificate, or none. */
export type Need =
  | { readonly kind: "scope"; readonly scope: Scope }
  | { readonly kind: "certificate" }
  | { readonly kind: "nothing" };

const read = { kind: "scope", scope: "devicemesh.read" } as const;
const control = { kind: "scope", scope: "devicemesh.generator" } as const;
const operate = { kind: "scope", scope: "devicemesh.operate" } as const;
const certificate = { kind: "certificate" } as const;
const nothing = { kind: "nothing" } as const;

/**
 * The credentials that each RPC requires, by service and method. A test compares it with the contract: an RPC that is
 * missing here fails the test, and is denied to every caller. Health and reflection require none: probes and balancers
 * have no token, and they reveal only the public contract and whether it is served.
 */
export const rpcNeeds: Readonly<Record<string, Readonly<Record<string, Need>>>> = {
  "devicemesh.v1.IngestService": { PublishReadings: certificate, PublishReadingBatch: certificate },
  "devicemesh.v1.QueryService": {
    GetAggregates: read,
    ListBuckets: read,
    ListReadings: read,
    ListSeries: read,
    ListDuplicates: read,
    GetPipelineStatus: read,
    WatchAggregates: read,
    ExportReadings: read,
    ExportBuckets: read,
  },
  "devicemesh.v1.GeneratorService": {
    StartGenerator: control,
    StopGenerator: control,
    GetGeneratorStatus: read,
  },
  "devicemesh.v1.AggregatorService": { GetWindowJobStatus: operate },
  "grpc.health.v1.Health": { Check: nothing, List: nothing, Watch: nothing },
  "grpc.reflection.v1.ServerReflection": { ServerReflectionInfo: nothing },
  "grpc.reflection.v1alpha.ServerReflection": { ServerReflectionInfo: nothing },
};

/**
 * Returns the credentials that an RPC requires; undefined for one that is not in the table, which no client may call.
 */
export function needOf(service: string, method: string): Need | undefined {
  const methods = Object.hasOwn(rpcNeeds, service) ? rpcNeeds[service] : undefined;
  return methods && Object.hasOwn(methods, method) ? methods[method] : undefined;
}
