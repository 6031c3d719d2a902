import { timestampMs } from "@bufbuild/protobuf/wkt";
import { decodeDeviceId } from "@devicemesh/proto/device-ids";
import { Order } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { useEffect, useState } from "preact/hooks";
import { exactNumber } from "../../format/numbers.ts";
import { formatMoment, type Zone } from "../../format/times.ts";
import { boundsFields } from "../../mesh/buckets.ts";
import { query, serverNowMs } from "../../mesh/clients.ts";
import { usePolled } from "../../mesh/use-polled.ts";
import { boundsAt, type Timeframe, timeframeText } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { DownloadLinks } from "../../ui/download-links.tsx";
import { Problem } from "../../ui/problem.tsx";
import { ReadingsHead } from "../../ui/readings-head.tsx";
import { exportParameters, nameOf, type Question } from "./question.ts";

const pageSize = 50;

/** The raw readings of a selection, a page at a time, the newest first. They are read when they are opened. */
export function RawReadings({
  question,
  timeframe,
  zone,
}: {
  readonly question: Question;
  readonly timeframe: Timeframe;
  readonly zone: Zone;
}) {
  const [isOpen, setOpen] = useState(false);
  const { readings } = strings;
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{readings.title}</summary>
      {isOpen && <Pages question={question} timeframe={timeframe} zone={zone} />}
    </details>
  );
}

function Pages({
  question,
  timeframe,
  zone,
}: {
  readonly question: Question;
  readonly timeframe: Timeframe;
  readonly zone: Zone;
}) {
  const { deviceIds, sensors } = question;
  const key = JSON.stringify([deviceIds, sensors, timeframeText(timeframe)]);
  const [page, setPage] = useState({ token: "", bounds: boundsAt(timeframe, serverNowMs()) });
  // A token is for one timeframe: it stays as it was on the first page.
  useEffect(() => setPage({ token: "", bounds: boundsAt(timeframe, serverNowMs()) }), [key]);
  const { answer, problem } = usePolled(`${key} ${page.token} ${page.bounds.toMs}`, undefined, (signal) =>
    query.listReadings(
      {
        deviceIds: [...deviceIds],
        sensors: [...sensors],
        ...boundsFields(page.bounds),
        order: Order.NEWEST_FIRST,
        pageSize,
        pageToken: page.token,
      },
      { signal },
    ),
  );
  const { readings } = strings;
  return (
    <>
      <Problem problem={problem} />
      <DownloadLinks
        label={strings.commands.readingsAs}
        path="/v1/readings"
        parameters={exportParameters(question, page.bounds)}
      />
      {answer && answer.readings.length === 0 && <p class="quiet">{readings.none}</p>}
      {answer && answer.readings.length > 0 && (
        <>
          <div class="scroll tall" tabIndex={0} role="region" aria-label={readings.title}>
            <table>
              <ReadingsHead />
              <tbody>
                {answer.readings.map(({ deviceId, sensor, timestamp, value }) => (
                  <tr key={`${nameOf({ deviceId, sensor }, "")}${timestamp && timestampMs(timestamp)}`}>
                    <th scope="row">{formatMoment(timestamp && timestampMs(timestamp), zone, true)}</th>
                    <td>{decodeDeviceId(deviceId)}</td>
                    <td>{sensor}</td>
                    <td class="number">{exactNumber(value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="pager">
            <button
              type="button"
              disabled={answer.previousPageToken === ""}
              onClick={() => setPage({ ...page, token: answer.previousPageToken })}
            >
              {readings.previous}
            </button>
            <button
              type="button"
              disabled={answer.nextPageToken === ""}
              onClick={() => setPage({ ...page, token: answer.nextPageToken })}
            >
              {readings.next}
            </button>
          </p>
        </>
      )}
    </>
  );
}
