import type { BenchReading } from "../readings.ts";

/** Readings as InfluxDB line protocol with timestamps in ms: a measurement for each sensor, a tag for the device. */
export function linesOf(readings: readonly BenchReading[]): string {
  let lines = "";
  for (const { sensor, deviceId, value, timestampMs } of readings) {
    lines += `${sensor},device=${deviceId} value=${value} ${timestampMs}\n`;
  }
  return lines;
}

/** Sends a request and returns the text of a successful response. @throws Error with status and text otherwise. */
export async function request(url: string, options: { readonly body?: string } = {}): Promise<string> {
  const response = await fetch(url, options.body === undefined ? {} : { method: "POST", body: options.body });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} returned ${response.status}: ${text.slice(0, 300)}`);
  return text;
}
