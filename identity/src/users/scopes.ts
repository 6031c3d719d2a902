/**
 * What a token may allow. Each stands for itself: none includes another. `devicemesh.send` is for readings over HTTP and MQTT, which
 * the gateway accepts; no RPC needs it.
 */
export const scopes = [
  "devicemesh.read",
  "devicemesh.send",
  "devicemesh.generator",
  "devicemesh.operate",
] as const;

/** One of them. */
export type Scope = (typeof scopes)[number];

/** What a caller must bring to an RPC: a token with a scope, a device's certificate, or nothing. */
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
 * What each RPC needs, by service and method. A test holds it against the contract: an RPC that is missing
 * here fails it, and is refused to everyone. Health and reflection need nothing: probes and balancers have
 * no token, and they tell no more than the public contract and whether it is served.
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

/** What an RPC needs; undefined for one that the table does not know, which no client may call. */
export function needOf(service: string, method: string): Need | undefined {
  const methods = Object.hasOwn(rpcNeeds, service) ? rpcNeeds[service] : undefined;
  return methods && Object.hasOwn(methods, method) ? methods[method] : undefined;
}
