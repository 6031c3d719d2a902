import type { Board } from "./board.ts";
import { buckets, quantile, rate } from "./queries.ts";
import { failedShare, failureCodes } from "./shared-queries.ts";

const chosen = `grpc_service=~"$service"`;
const answered = `grpc_server_handling_seconds{${chosen}, grpc_type!~"server_stream|bidi_stream"}`;

/** Rate, errors and duration of each method, and the same from Envoy's view. */
export const rpcs: Board = {
  name: "rpcs",
  title: "RPCs",
  description:
    "Rate, errors and duration of every method of the chosen services, the same from Envoy's view, and the processes that serve them.",
  variables: [
    { name: "service", label: "Service", metric: "grpc_server_started_total", values: "grpc_service" },
  ],
  rows: [
    {
      title: "From the services' view",
      panels: [
        {
          kind: "lines",
          title: "Calls a second",
          description:
            "Calls that ended. A stream counts once, when it ends: a unit of readings is one call.",
          unit: "reqps",
          queries: { "{{grpc_method}}": rate(`grpc_server_handled_total{${chosen}}`, "grpc_method") },
        },
        {
          kind: "lines",
          title: "Failed on our side, by code",
          description:
            "Internal and Unknown are bugs: the log has the cause with the request id. Unavailable: the log or the store is unavailable, or the service is shutting down. DeadlineExceeded: the call was too slow.",
          unit: "reqps",
          stacked: true,
          queries: {
            "{{grpc_code}}": rate(
              `grpc_server_handled_total{${chosen}, grpc_code=~"${failureCodes}"}`,
              "grpc_code",
            ),
          },
        },
        {
          kind: "lines",
          title: "Share that failed on our side",
          description:
            "Of the calls of each method in the last five minutes. Above 5 % the alert CallsFail fires.",
          unit: "percentunit",
          bounds: { warning: 0.01, alarm: 0.05 },
          queries: { "{{grpc_service}} {{grpc_method}}": failedShare("5m", "grpc_service", "grpc_method") },
        },
        {
          kind: "lines",
          title: "Median duration",
          description:
            "Median by method, streams of the server left out. PublishReadings lasts as long as its client takes to send the unit: seconds are normal.",
          unit: "s",
          queries: { "{{grpc_method}}": quantile(0.5, answered, "grpc_method") },
        },
        {
          kind: "lines",
          title: "p95 of the duration",
          description:
            "If this line rises and the median does not, some calls are slow: a large timeframe, an unhealthy replica, or a garbage collection.",
          unit: "s",
          queries: { "{{grpc_method}}": quantile(0.95, answered, "grpc_method") },
        },
        {
          kind: "spread",
          title: "All durations",
          description:
            "Each row is a range of durations, each column a time; darker means more calls. Two bands are two kinds of calls, or two kinds of replicas.",
          unit: "s",
          query: buckets(answered),
        },
        {
          kind: "lines",
          title: "Open calls",
          description:
            "Calls that began and have not ended, by method. Steady increase: calls hang, or clients leave streams open.",
          unit: "short",
          queries: { "{{grpc_method}}": `sum by (grpc_method) (grpc_server_in_flight{${chosen}})` },
        },
        {
          kind: "lines",
          title: "Failed on the caller's side, or by a limit",
          description:
            "InvalidArgument: a client that violates the contract. Unauthenticated, PermissionDenied: a token or certificate that is missing, expired, or without permission. ResourceExhausted: a limit. Canceled: the caller cancelled.",
          unit: "reqps",
          stacked: true,
          queries: {
            "{{grpc_code}}": rate(
              `grpc_server_handled_total{${chosen}, grpc_code=~"Canceled|InvalidArgument|NotFound|FailedPrecondition|Unauthenticated|PermissionDenied|ResourceExhausted|Unimplemented"}`,
              "grpc_code",
            ),
          },
        },
        {
          kind: "lines",
          title: "Calls of each replica",
          description:
            "Envoy sends a new call to the less busy of two. A replica far below the others was excluded or has just started; streams stay where they began.",
          unit: "reqps",
          queries: {
            "{{job}} {{instance}}": rate(`grpc_server_handled_total{${chosen}}`, "job", "instance"),
          },
        },
      ],
    },
    {
      title: "From Envoy's view",
      panels: [
        {
          kind: "lines",
          title: "Calls a second through the front door",
          description:
            "gRPC in all its variants, by method. Less than the services count: a client bypasses Envoy (as the generator does). More: Envoy retries calls.",
          unit: "reqps",
          queries: {
            "{{grpc_method}}": rate(`envoy_cluster_grpc_total{${chosen}}`, "grpc_method"),
          },
        },
        {
          kind: "lines",
          title: "Failed calls",
          description:
            "Any status except OK, by method, including calls that Envoy answered itself because no replica could.",
          unit: "reqps",
          queries: {
            "{{grpc_method}}": rate(`envoy_cluster_grpc_failure{${chosen}}`, "grpc_method"),
          },
        },
        {
          kind: "lines",
          title: "p95 of the duration, at Envoy",
          description:
            "Including the network and Envoy's retries. Far above the services' own duration: calls wait in Envoy, or were retried.",
          unit: "ms",
          queries: {
            "{{grpc_method}}": quantile(
              0.95,
              `envoy_cluster_grpc_upstream_rq_time{${chosen}}`,
              "grpc_method",
            ),
          },
        },
      ],
    },
    {
      title: "Processes",
      panels: [
        {
          kind: "lines",
          title: "Cores in use",
          description:
            "A Node process has one thread for its own code: at 1 it is saturated, and needs another replica.",
          unit: "cores",
          bounds: { warning: 0.8, alarm: 1 },
          queries: { "{{job}} {{instance}}": "rate(process_cpu_seconds_total[$__rate_interval])" },
        },
        {
          kind: "lines",
          title: "Memory",
          description:
            "Resident memory. A sawtooth is normal; one that rises every hour is a leak. The limits are in docker-stack.yml.",
          unit: "bytes",
          queries: { "{{job}} {{instance}}": "process_resident_memory_bytes" },
        },
        {
          kind: "lines",
          title: "Delay of the event loop",
          description: "The p99 delay of timers. Above 0.1 s health checks and deadlines are affected.",
          unit: "s",
          bounds: { warning: 0.1, alarm: 0.5 },
          queries: { "{{job}} {{instance}}": "nodejs_eventloop_lag_p99_seconds" },
        },
      ],
    },
  ],
};
