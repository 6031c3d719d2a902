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
    "Rate, errors and duration of every method of the chosen services, what the front door says of them, and the processes that serve them.",
  variables: [
    { name: "service", label: "Service", metric: "grpc_server_started_total", values: "grpc_service" },
  ],
  rows: [
    {
      title: "As the services see it",
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
          title: "Failed by our fault, by code",
          description:
            "Internal and Unknown are a defect: the log has the cause with the request id. Unavailable is a log or a store that is away, or a shutdown. DeadlineExceeded is too slow.",
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
          title: "Share that failed by our fault",
          description:
            "Of the calls of each method in the last five minutes. Above 5 % the alert CallsFail fires.",
          unit: "percentunit",
          bounds: { warning: 0.01, alarm: 0.05 },
          queries: { "{{grpc_service}} {{grpc_method}}": failedShare("5m", "grpc_service", "grpc_method") },
        },
        {
          kind: "lines",
          title: "Half of the calls were quicker than",
          description:
            "Median by method, streams of the server left out. PublishReadings lasts as long as its client takes to send the unit: seconds are normal.",
          unit: "s",
          queries: { "{{grpc_method}}": quantile(0.5, answered, "grpc_method") },
        },
        {
          kind: "lines",
          title: "95 of a hundred were quicker than",
          description:
            "When only this line rises and the median does not, some calls meet something slow: a large timeframe, a replica that is not well, a garbage collection.",
          unit: "s",
          queries: { "{{grpc_method}}": quantile(0.95, answered, "grpc_method") },
        },
        {
          kind: "spread",
          title: "All durations",
          description:
            "Each row is a range of durations, each column a moment; the darker, the more calls. Two bands are two kinds of calls, or two kinds of replicas.",
          unit: "s",
          query: buckets(answered),
        },
        {
          kind: "lines",
          title: "Open calls",
          description:
            "Calls that began and have not ended, by method. Climbs without an end: calls hang, or clients leave streams open.",
          unit: "short",
          queries: { "{{grpc_method}}": `sum by (grpc_method) (grpc_server_in_flight{${chosen}})` },
        },
        {
          kind: "lines",
          title: "Ended by the caller's fault, or by a limit",
          description:
            "InvalidArgument: a client that does not know the contract. Unauthenticated, PermissionDenied: a token or certificate that is missing, expired, or not enough. ResourceExhausted: a limit. Canceled: the caller left.",
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
            "Envoy gives a new call to the less busy of two. One replica far below the others has been left out or has just started; streams stay where they began.",
          unit: "reqps",
          queries: {
            "{{job}} {{instance}}": rate(`grpc_server_handled_total{${chosen}}`, "job", "instance"),
          },
        },
      ],
    },
    {
      title: "As Envoy sees it",
      panels: [
        {
          kind: "lines",
          title: "Calls a second through the front door",
          description:
            "Of gRPC in all its forms, by method. Less than the services count: somebody calls them past Envoy (the generator does). More: Envoy tries calls again.",
          unit: "reqps",
          queries: {
            "{{grpc_method}}": rate(`envoy_cluster_grpc_total{${chosen}}`, "grpc_method"),
          },
        },
        {
          kind: "lines",
          title: "Calls that Envoy saw fail",
          description:
            "Any status but OK, by method, with those that Envoy answered itself because no replica could.",
          unit: "reqps",
          queries: {
            "{{grpc_method}}": rate(`envoy_cluster_grpc_failure{${chosen}}`, "grpc_method"),
          },
        },
        {
          kind: "lines",
          title: "95 of a hundred were quicker than, at the door",
          description:
            "With the network and the tries behind Envoy. Far above what the services say: calls wait in Envoy, or were tried more than once.",
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
      title: "The processes behind it",
      panels: [
        {
          kind: "lines",
          title: "Cores in use",
          description:
            "A Node process has one thread for its own code: at 1 it is full, and another replica is what helps.",
          unit: "cores",
          bounds: { warning: 0.8, alarm: 1 },
          queries: { "{{job}} {{instance}}": "rate(process_cpu_seconds_total[$__rate_interval])" },
        },
        {
          kind: "lines",
          title: "Memory",
          description:
            "Resident memory. Saw teeth are normal; teeth that stand higher each hour are a leak. The limits are in docker-stack.yml.",
          unit: "bytes",
          queries: { "{{job}} {{instance}}": "process_resident_memory_bytes" },
        },
        {
          kind: "lines",
          title: "Delay of the event loop",
          description:
            "How late the process gets to what is due, 99 of a hundred. Above 0.1 s its health checks and deadlines begin to suffer.",
          unit: "s",
          bounds: { warning: 0.1, alarm: 0.5 },
          queries: { "{{job}} {{instance}}": "nodejs_eventloop_lag_p99_seconds" },
        },
      ],
    },
  ],
};
