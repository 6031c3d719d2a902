import type { MetricDefinition, MetricDefinitions } from "./metrics-definition.ts";

/** Formats the definitions as a table in Markdown, for users who monitor or write boards and alerts. */
export function metricsTable(definitions: MetricDefinitions): string {
  const rows = Object.values(definitions).map(
    ({ name, type, labels = {}, unit, help }) =>
      `| \`${name}\` | ${type} | ${labelsText(labels)} | ${unit} | ${help} |`,
  );
  return ["| name | type | labels | unit | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** Beyond this number of values, only their number is listed. */
const listedMax = 8;

function labelsText(labels: NonNullable<MetricDefinition["labels"]>): string {
  const texts = Object.entries(labels).map(([name, values]) => {
    if (typeof values === "string") return `\`${name}\` (${values})`;
    return values.length > listedMax
      ? `\`${name}\` (${values.slice(0, 2).join(", ")}, … ${values.length} in all)`
      : `\`${name}\` (${values.join(", ")})`;
  });
  return texts.join("; ") || "–";
}
