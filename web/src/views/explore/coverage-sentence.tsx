import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Coverage, TimeSpan } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { formatDuration, formatMoment, formatTime, type Zone } from "../../format/times.ts";
import { serverNowMs } from "../../mesh/clients.ts";
import { strings } from "../../strings.ts";

/** What an answer covers, in plain sentences. */
export function CoverageSentence({
  coverage,
  zone,
}: {
  readonly coverage: Coverage | undefined;
  readonly zone: Zone;
}) {
  if (!coverage?.completeThrough) return null;
  const { figures } = strings;
  const throughMs = timestampMs(coverage.completeThrough);
  const lag = formatDuration(serverNowMs() - throughMs, { fine: true });
  return (
    <p class="coverage">
      {figures.complete(formatTime(throughMs, zone), lag)}{" "}
      {figures.sources(coverage.fromWindows, coverage.fromRaw)}
      {coverage.notCovered.length > 0 && (
        <strong>
          {" "}
          {figures.notCovered(coverage.notCovered.map((span) => spanText(span, zone)).join("; "))}
        </strong>
      )}
    </p>
  );
}

function spanText({ since, to }: TimeSpan, zone: Zone): string {
  const from = since ? formatMoment(timestampMs(since), zone) : strings.figures.unbounded;
  return `${from} – ${to ? formatMoment(timestampMs(to), zone) : "…"}`;
}
