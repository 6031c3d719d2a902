/** The latest reading of a series. */
export type LatestReading = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly unit: string;
  readonly count: bigint;
  readonly value: number | undefined;
  /** Ms since 1970, by the device's clock. */
  readonly atMs: number | undefined;
};

/** Some of the series, and the total number. */
export type LatestReadings = { readonly readings: readonly LatestReading[]; readonly total: number };

/** Renders the page for browsers without JavaScript: the latest values as a table, and links. Pure. */
export function latestPage({
  latest,
  notice,
}: {
  readonly latest: LatestReadings | undefined;
  /** A notice, for example why there is no table. */
  readonly notice?: string | undefined;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Latest values · Device Mesh</title>
</head>
<body>
<h1>Device Mesh: latest values</h1>
<nav><p><a href="/">Dashboard</a> (needs JavaScript) · <a href="/latest">Load the latest values again</a></p></nav>
${notice === undefined ? "" : `<p role="status">${escaped(notice)}</p>\n`}${latest === undefined ? "" : table(latest)}
</body>
</html>
`;
}

function table({ readings, total }: LatestReadings): string {
  if (readings.length === 0) return "<p>No readings are stored yet.</p>";
  const rows = readings.map(({ deviceId, sensor, unit, count, value, atMs }) => {
    const when = atMs === undefined ? "" : new Date(atMs).toISOString();
    const shown = value === undefined ? "expired" : `${value} ${unit}`;
    return `<tr><th scope="row" align="left">${escaped(deviceId)}</th><td>${escaped(sensor)}</td><td align="right">${escaped(shown)}</td><td>${when === "" ? "" : `<time datetime="${when}">${when}</time>`}</td><td align="right">${count}</td></tr>`;
  });
  return `<table cellpadding="6">
<caption>${readings.length} of ${total} series, by device and sensor</caption>
<thead><tr><th scope="col" align="left">Device</th><th scope="col" align="left">Sensor</th><th scope="col" align="right">Latest value</th><th scope="col" align="left">Measured at (UTC)</th><th scope="col" align="right">Readings</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
