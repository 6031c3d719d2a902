// Writes the tables of metrics into docs/metrics.md, from the definitions that the services register.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { aggregatorMetrics } from "@devicemesh/aggregator/metrics";
import { gatewayMetrics } from "@devicemesh/gateway/metrics";
import { generatorMetrics } from "@devicemesh/generator/metrics";
import { ingestLogMetrics, ingestMetrics } from "@devicemesh/ingest/metrics";
import type { MetricDefinitions } from "@devicemesh/kit/observability/metrics";
import { rpcMetrics } from "@devicemesh/kit/observability/metrics-rpc";
import { metricsTable } from "@devicemesh/kit/observability/metrics-table";
import { operatorMetrics } from "@devicemesh/operator/metrics";
import { queryMetrics } from "@devicemesh/query/metrics";
import { storeMetrics } from "@devicemesh/store-duckdb/metrics";

const file = fileURLToPath(new URL("../docs/metrics.md", import.meta.url));
const section = /<!-- metrics -->\n[\s\S]*?<!-- \/metrics -->/;

/** All our metrics, by the process that exports them. */
export const allMetrics: readonly { readonly who: string; readonly definitions: MetricDefinitions }[] = [
  { who: "Every process, of each RPC", definitions: rpcMetrics },
  { who: "Ingest", definitions: ingestMetrics },
  { who: "Ingest over Kafka", definitions: ingestLogMetrics },
  { who: "Embedded store", definitions: storeMetrics },
  { who: "Query", definitions: queryMetrics },
  { who: "Gateway", definitions: gatewayMetrics },
  { who: "Generator", definitions: generatorMetrics },
  { who: "Aggregator", definitions: aggregatorMetrics },
  { who: "Operator", definitions: operatorMetrics },
];

/** Returns the text of docs/metrics.md. */
export function metricsPageText(): string {
  return readFileSync(file, "utf8");
}

/**
 * Returns the text with the current tables.
 * @throws Error if it has no place for them.
 */
export function withMetrics(text: string): string {
  if (!section.test(text)) throw new Error("docs/metrics.md has no section <!-- metrics -->");
  const tables = allMetrics.map(({ who, definitions }) => `**${who}**\n\n${metricsTable(definitions)}\n`);
  return text.replace(section, () => `<!-- metrics -->\n${tables.join("\n")}<!-- /metrics -->`);
}

/** Writes the tables. */
export function writeMetricsTables(): void {
  writeFileSync(file, withMetrics(metricsPageText()));
}
