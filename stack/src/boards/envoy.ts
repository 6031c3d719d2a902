import type { Board } from "./board.ts";
import { quantile, rate } from "./queries.ts";

const outside = `envoy_http_conn_manager_prefix!~"admin|metrics"`;
const services = `envoy_cluster_name=~"ingest|query|generator|aggregator"`;

/** The front door: its callers, the backends of their calls, rejections, and drains. */
export const envoy: Board = {
  name: "envoy",
  title: "Envoy",
  description:
    "The front door: connections and calls from outside, the health of the services behind it, retries, rejections, and drains.",
  rows: [
    {
      title: "Clients",
      panels: [
        {
          kind: "lines",
          title: "Open connections",
          description:
            "By listener. Bounded at 20,000 for each Envoy; see pressure below. A sudden fall is a drain, a restart, or the network.",
          unit: "short",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": `sum by (envoy_http_conn_manager_prefix) (envoy_http_downstream_cx_active{${outside}})`,
          },
        },
        {
          kind: "lines",
          title: "New connections a second",
          description:
            "Far more than new clients: they do not keep their connections, or these break. The handshake is the most expensive part of TLS.",
          unit: "cps",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": rate(
              `envoy_http_downstream_cx_total{${outside}}`,
              "envoy_http_conn_manager_prefix",
            ),
          },
        },
        {
          kind: "lines",
          title: "Open calls",
          description:
            "Units, watches and queries in progress. Steady increase: a service behind Envoy hangs.",
          unit: "short",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": `sum by (envoy_http_conn_manager_prefix) (envoy_http_downstream_rq_active{${outside}})`,
          },
        },
        {
          kind: "lines",
          title: "Answers, by class of HTTP status",
          description:
            "gRPC errors are 2xx: see the board RPCs for them. 4xx: no token, no route, too many calls. 5xx: Envoy found no replica, or Connect's callers got an error.",
          unit: "reqps",
          stacked: true,
          queries: {
            "{{envoy_response_code_class}}xx": rate(
              `envoy_http_downstream_rq_xx{${outside}}`,
              "envoy_response_code_class",
            ),
          },
        },
        {
          kind: "lines",
          title: "Rejected by a limit",
          description:
            "Calls beyond the limit of one address or of all in a second (RESOURCE_EXHAUSTED, retry-after 1 s). A client in a loop, or a limit that no longer fits the fleet.",
          unit: "cps",
          queries: { "too many calls": rate("envoy_calls_http_local_rate_limit_rate_limited") },
        },
        {
          kind: "lines",
          title: "Bytes",
          description: "In and out of the listeners. Input should follow the readings; output the queries.",
          unit: "Bps",
          queries: {
            in: rate(`envoy_http_downstream_cx_rx_bytes_total{${outside}}`),
            out: rate(`envoy_http_downstream_cx_tx_bytes_total{${outside}}`),
          },
        },
      ],
    },
    {
      title: "Services",
      panels: [
        {
          kind: "lines",
          title: "Healthy replicas",
          description:
            "By health checks, the minimum over all Envoys. Below the number of replicas in the stack: one is starting, excluded, or unreachable. Zero: all are used all the same.",
          unit: "short",
          queries: {
            "{{envoy_cluster_name}}": `min by (envoy_cluster_name) (envoy_cluster_membership_healthy{${services}})`,
          },
        },
        {
          kind: "lines",
          title: "Replicas in DNS",
          description:
            "Number of addresses of tasks.<service>. It should equal the number in docker-stack.yml.",
          unit: "short",
          queries: {
            "{{envoy_cluster_name}}": `max by (envoy_cluster_name) (envoy_cluster_membership_total{${services}})`,
          },
        },
        {
          kind: "lines",
          title: "Failed checks, excluded replicas",
          description:
            "Failed health checks a second, and replicas that are excluded now because connections to them failed. Some occur at each restart.",
          unit: "short",
          queries: {
            "checks {{envoy_cluster_name}}": rate(
              `envoy_cluster_health_check_failure{${services}}`,
              "envoy_cluster_name",
            ),
            "excluded {{envoy_cluster_name}}": `sum by (envoy_cluster_name) (envoy_cluster_outlier_detection_ejections_active{${services}})`,
          },
        },
        {
          kind: "lines",
          title: "Retried calls",
          description:
            "A second, by service: a replica died or rejected the call. Callers notice nothing, unless the next panel rises too. Steady: one replica is unhealthy.",
          unit: "cps",
          queries: {
            "{{envoy_cluster_name}}": rate(
              `envoy_cluster_upstream_rq_retry{${services}}`,
              "envoy_cluster_name",
            ),
          },
        },
        {
          kind: "lines",
          title: "Failed retries",
          description:
            "Calls without remaining retries, or with too many other retries in progress; and calls that exceeded a time limit.",
          unit: "cps",
          queries: {
            "no more retries {{envoy_cluster_name}}": rate(
              `envoy_cluster_upstream_rq_retry_limit_exceeded{${services}}`,
              "envoy_cluster_name",
            ),
            "too many retries {{envoy_cluster_name}}": rate(
              `envoy_cluster_upstream_rq_retry_overflow{${services}}`,
              "envoy_cluster_name",
            ),
            "too slow {{envoy_cluster_name}}": rate(
              `envoy_cluster_upstream_rq_timeout{${services}}`,
              "envoy_cluster_name",
            ),
          },
        },
        {
          kind: "lines",
          title: "p95 of the duration",
          description:
            "By service, including long streams: units and watches make it high for ingest and query.",
          unit: "ms",
          queries: {
            "{{envoy_cluster_name}}": quantile(
              0.95,
              `envoy_cluster_upstream_rq_time{${services}}`,
              "envoy_cluster_name",
            ),
          },
        },
      ],
    },
    {
      title: "Capacity and drains",
      panels: [
        {
          kind: "lines",
          title: "Pressure",
          description:
            "Share in use of an Envoy's limits of memory and connections. Memory: at 85 % it closes idle connections, from 92 % it resets the largest streams, at 95 % it rejects calls. Connections: at 100 % new ones are closed.",
          unit: "percentunit",
          bounds: { warning: 0.85, alarm: 0.95 },
          // Envoy exports it in percent.
          queries: {
            "memory {{instance}}": "envoy_overload_envoy_resource_monitors_fixed_heap_pressure / 100",
            "connections {{instance}}":
              "envoy_overload_envoy_resource_monitors_global_downstream_max_connections_pressure / 100",
          },
        },
        {
          kind: "lines",
          title: "Rejected or cut for lack of capacity",
          description:
            "Calls rejected because memory is short, streams reset for the same reason, calls to a service with a full queue. In each case: add memory, or another Envoy.",
          unit: "cps",
          queries: {
            refused: rate(`envoy_http_rq_overload_local_reply{${outside}}`),
            reset: rate("envoy_envoy_overload_actions_reset_high_memory_stream_count"),
            "queue of {{envoy_cluster_name}}": rate(
              `envoy_cluster_upstream_rq_pending_overflow{${services}}`,
              "envoy_cluster_name",
            ),
          },
        },
        {
          kind: "lines",
          title: "Remaining capacity for calls",
          description:
            "Number of further calls that each service may have open at a time, of 50,000. At zero, calls are UNAVAILABLE.",
          unit: "short",
          bounds: { warning: 10_000, alarm: 1_000, worse: "below" },
          queries: {
            "{{envoy_cluster_name}}": `min by (envoy_cluster_name) (envoy_cluster_circuit_breakers_default_remaining_rq{${services}})`,
          },
        },
        {
          kind: "state",
          title: "Ready, or draining",
          description:
            "While it drains, Envoy returns 503 at /ready, accepts calls for the drain time, waits for open ones, and ends. Longer than ten minutes: a watch or a unit does not end.",
          unit: "short",
          states: { zero: "draining", one: "ready", good: 1 },
          queries: { "{{instance}}": "envoy_server_live" },
        },
        {
          kind: "lines",
          title: "Connections closed by a drain",
          description:
            "Connections closed gracefully because of a drain, a second. Increases only while an Envoy is replaced.",
          unit: "cps",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": rate(
              `envoy_http_downstream_cx_drain_close{${outside}}`,
              "envoy_http_conn_manager_prefix",
            ),
          },
        },
        {
          kind: "figure",
          title: "Certificate is valid for",
          description:
            "Days until the first of Envoy's certificates expires (ten years if there is none). Envoy reads them when it starts: replace the secret, then update the service.",
          unit: "d",
          bounds: { warning: 30, alarm: 7, worse: "below" },
          queries: { days: "clamp_max(min(envoy_server_days_until_first_cert_expiring), 3650)" },
        },
        {
          kind: "lines",
          title: "Memory",
          description: "Memory of each Envoy, mostly buffers of streams; the limit is in docker-stack.yml.",
          unit: "bytes",
          queries: { "{{instance}}": "envoy_server_memory_physical_size" },
        },
      ],
    },
  ],
};
