/** The setting of the metrics port of a process; its variable begins with `prefix`. */
export const metricsSettings = (prefix = "DEVICEMESH_") =>
  ({
    metricsPort: {
      flag: "--metrics-port",
      env: `${prefix}METRICS_PORT`,
      kind: "integer",
      minimum: 0,
      maximum: 65535,
      description:
        "Port of Prometheus metrics (/metrics, without authentication) on the same address; 0 picks a free port. Off by default.",
    },
  }) as const;
