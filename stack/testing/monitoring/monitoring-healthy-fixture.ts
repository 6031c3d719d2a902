/** The same value, every ten seconds for half an hour. */
export function steady(value: number): string {
  return `${value}x180`;
}

/** A counter that increases by this amount every ten seconds, for half an hour. */
export function rising(step: number): string {
  return `0+${step}x180`;
}

export const sinkLag = `devicemesh_operator_sink_lag_messages{connector="messages"}`;
export const heapPressure = `envoy_overload_envoy_resource_monitors_fixed_heap_pressure{instance="a"}`;

export function handled(service: string, method: string, code: string): string {
  return `grpc_server_handled_total{grpc_service="devicemesh.v1.${service}", grpc_method="${method}", grpc_code="${code}"}`;
}

export function tasks(state: string): string {
  return `devicemesh_operator_connector_tasks{connector="messages", state="${state}"}`;
}

export function deadLetters(reason: string): string {
  return `devicemesh_operator_dead_letters_total{reason="${reason}"}`;
}

export function frontierAge(level: string): string {
  return `devicemesh_aggregator_frontier_age_seconds{level="${level}"}`;
}

/** For tests: series of a healthy mesh, every ten seconds for half an hour, in promtool's notation. */
export const healthySeries: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["ingest", "query", "gateway", "generator", "operator", "aggregator", "envoy", "prometheus"].flatMap(
      (job) => ["a", "b"].map((instance) => [`up{job="${job}", instance="${instance}"}`, steady(1)]),
    ),
  ),
  [handled("IngestService", "PublishReadings", "OK")]: rising(50),
  // Errors of callers are normal.
  [handled("IngestService", "PublishReadings", "InvalidArgument")]: rising(50),
  // Few enough failures to be coincidence.
  [handled("IngestService", "PublishReadings", "Unavailable")]: rising(1),
  [handled("QueryService", "GetAggregates", "OK")]: steady(0),
  [handled("QueryService", "GetAggregates", "Internal")]: steady(0),
  'devicemesh_ingest_log_reachable{instance="a"}': steady(1),
  'devicemesh_ingest_append_seconds_bucket{le="0.1"}': rising(100),
  'devicemesh_ingest_append_seconds_bucket{le="1"}': rising(100),
  'devicemesh_ingest_append_seconds_bucket{le="5"}': rising(100),
  'devicemesh_ingest_append_seconds_bucket{le="+Inf"}': rising(100),
  devicemesh_generator_outbox_readings: steady(5_000),
  devicemesh_generator_outbox_spilled_bytes: steady(0),
  'devicemesh_generator_readings_total{outcome="dropped"}': steady(7),
  devicemesh_aggregator_complete_through_age_seconds: steady(2),
  [sinkLag]: steady(300),
  [tasks("RUNNING")]: steady(3),
  [tasks("FAILED")]: steady(0),
  [deadLetters("invalid")]: steady(4),
  [deadLetters("duplicate")]: rising(5),
  devicemesh_operator_dead_letter_lag_messages: "0 5 _ 0 5 0x200",
  [frontierAge("10s")]: steady(20),
  [frontierAge("1day")]: steady(80_000),
  'devicemesh_aggregator_active{instance="a"}': steady(1),
  'devicemesh_aggregator_active{instance="b"}': steady(0),
  'devicemesh_operator_problems{job="operator"}': steady(0),
  devicemesh_operator_spark_master_reachable: steady(1),
  'devicemesh_aggregator_problems{job="aggregator"}': "0x50 2x10 0x120",
  devicemesh_aggregator_window_job_restarts_total: steady(1),
  devicemesh_aggregator_window_job_batches_total: rising(8),
  devicemesh_aggregator_window_job_rows_dropped_total: steady(0),
  'devicemesh_query_store_reachable{instance="a"}': steady(1),
  'envoy_cluster_membership_healthy{envoy_cluster_name="query", instance="a"}': steady(3),
  // It is a standby, or windows are delayed.
  'envoy_cluster_membership_healthy{envoy_cluster_name="aggregator", instance="a"}': steady(0),
  [heapPressure]: steady(40),
  envoy_overload_envoy_resource_monitors_global_downstream_max_connections_pressure: steady(10),
  'envoy_server_live{instance="a"}': steady(1),
  envoy_server_days_until_first_cert_expiring: steady(90),
};
