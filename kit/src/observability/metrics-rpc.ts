import { Code } from "@connectrpc/connect";
import type { Metrics } from "./metrics.ts";
import { defineMetrics, type MetricSample } from "./metrics-definition.ts";

/** The kinds of calls, in the terms of the gRPC ecosystem. */
const rpcTypes = ["unary", "client_stream", "server_stream", "bidi_stream"] as const;

/** All status codes by number, in the terms of the gRPC ecosystem. */
export const rpcCodes: readonly string[] = [
  "OK",
  ...Array.from({ length: 16 }, (_, i) => Code[i + 1] as string),
];

const methodLabels = {
  grpc_type: rpcTypes,
  grpc_service: "of the contract, health, reflection",
  grpc_method: "of that service",
} as const;

/** Calls of gRPC and Connect servers alike, by the names that common gRPC boards use. */
export const rpcMetrics = defineMetrics({
  started: {
    name: "grpc_server_started_total",
    type: "counter",
    unit: "calls",
    help: "Calls that began",
    labels: methodLabels,
  },
  handled: {
    name: "grpc_server_handled_total",
    type: "counter",
    unit: "calls",
    help: "Calls that ended, whichever side ended them; a stream counts once, when it ends",
    labels: { ...methodLabels, grpc_code: rpcCodes },
  },
  inFlight: {
    name: "grpc_server_in_flight",
    type: "gauge",
    unit: "calls",
    help: "Calls that are open",
    labels: methodLabels,
  },
  seconds: {
    name: "grpc_server_handling_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Duration of calls, from their headers to their status",
    labels: methodLabels,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
});

/** A method of a server. */
export type RpcMethod = {
  readonly type: (typeof rpcTypes)[number];
  /** The full name, with the package. */
  readonly service: string;
  readonly method: string;
};

/** Counts the calls of servers. */
export type RpcCounting = {
  /**
   * Registers a method, with 0 calls; repeated calls return the same. Only registered methods are counted, so that no
   * caller creates names.
   */
  know(method: RpcMethod): RpcMethodCounting;
};

/** Counts the calls of a method. */
export type RpcMethodCounting = {
  /**
   * Records the start of a call. The returned function is called with the status code at its end; only the first call
   * counts.
   */
  begin(): (code: number) => void;
};

type MethodCounts = {
  readonly labels: Readonly<Record<string, string>>;
  started: number;
  inFlight: number;
  readonly handled: number[];
};

/** Creates a count without methods. `monotonicMs` is a monotonic clock. */
export function createRpcCounting(
  { register }: Pick<Metrics, "register">,
  monotonicMs: () => number = () => performance.now(),
): RpcCounting {
  const known = new Map<string, { readonly counts: MethodCounts; readonly counting: RpcMethodCounting }>();

  function samples(read: (counts: MethodCounts) => number): readonly MetricSample[] {
    return [...known.values()].map(({ counts }) => ({ labels: counts.labels, value: read(counts) }));
  }
  const observers = register(rpcMetrics, {
    started: () => samples(({ started }) => started),
    inFlight: () => samples(({ inFlight }) => inFlight),
    handled: () =>
      [...known.values()].flatMap(({ counts: { labels, handled } }) =>
        handled.map((value, code) => ({ labels: { ...labels, grpc_code: rpcCodes[code] as string }, value })),
      ),
  });

  function countingOf(counts: MethodCounts): RpcMethodCounting {
    return {
      begin() {
        const beganMs = monotonicMs();
        let open = true;
        counts.started++;
        counts.inFlight++;
        return (code) => {
          if (!open) return;
          open = false;
          counts.inFlight--;
          const place = code in rpcCodes ? code : Code.Unknown;
          counts.handled[place] = (counts.handled[place] as number) + 1;
          observers.seconds.observe((monotonicMs() - beganMs) / 1000, counts.labels);
        };
      },
    };
  }

  return {
    know({ type, service, method }) {
      const key = `${service}/${method}`;
      const found = known.get(key);
      if (found) return found.counting;
      const counts: MethodCounts = {
        labels: { grpc_type: type, grpc_service: service, grpc_method: method },
        started: 0,
        inFlight: 0,
        handled: rpcCodes.map(() => 0),
      };
      observers.seconds.show(counts.labels);
      const counting = countingOf(counts);
      known.set(key, { counts, counting });
      return counting;
    },
  };
}
