import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";
import { Temporal } from "temporal-polyfill";
import type { Span } from "../plan/spans.ts";

/** A span in which a zone's local time is UTC plus offsetMs. */
export type OffsetSpan = Span & { readonly offsetMs: number };

/**
 * Returns the name of a time zone in the spelling of the IANA database; UTC for the empty name.
 * @throws RpcError INVALID_ARGUMENT on `calendar.time_zone` if there is no such zone.
 */
export function timeZoneNamed(name: string): string {
  if (name === "") return "UTC";
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    throw invalidArgument({
      field: "calendar.time_zone",
      description: "is not a name of the IANA time zone database",
      reason: "TIME_ZONE_UNKNOWN",
    });
  }
}

/** Returns the spans of constant offset in a timeframe, in order; the first and the last are cut to it. */
export function offsetsIn(zone: string, { sinceMs, toMs }: Span): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let at: Temporal.ZonedDateTime = zoned(sinceMs, zone);
  while (at.epochMilliseconds < toMs) {
    const next: Temporal.ZonedDateTime | null = at.getTimeZoneTransition("next");
    spans.push({
      sinceMs: at.epochMilliseconds,
      toMs: Math.min(next?.epochMilliseconds ?? toMs, toMs),
      offsetMs: at.offsetNanoseconds / 1e6,
    });
    if (!next) break;
    at = next;
  }
  return spans;
}

/** Returns the local time of a zone. */
export function zoned(ms: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}
