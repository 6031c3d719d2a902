import { durationMs } from "@bufbuild/protobuf/wkt";
import type { PipelineStatus } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import { formatCount, formatRate } from "../../format/numbers.ts";
import { formatDuration } from "../../format/times.ts";
import { strings } from "../../strings.ts";

/** A part of the pipeline and how it is. */
export type Part = {
  readonly name: string;
  readonly isHealthy: boolean;
  readonly state: string;
  readonly detail: string;
};

/** The parts with their health, as a table; in the mesh, the real engines too. */
export function Parts({ status }: { readonly status: PipelineStatus }) {
  const { pipeline } = strings;
  const versions = Object.entries(status.versions).map(([name, version]) => `${name} ${version}`);
  return (
    <section class="card" aria-labelledby="parts">
      <h2 id="parts">{pipeline.parts}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={pipeline.parts}>
        <table>
          <thead>
            <tr>
              <th scope="col">{pipeline.part}</th>
              <th scope="col">{pipeline.health}</th>
              <th scope="col">{pipeline.detail}</th>
            </tr>
          </thead>
          <tbody>
            {partsOf(status).map(({ name, isHealthy, state, detail }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-state={isHealthy ? "online" : "degraded"}>
                  <span class="lamp" aria-hidden="true" /> {state}
                </td>
                <td class="wrap">{detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {versions.length > 0 && (
        <p class="quiet">
          {pipeline.versions}: {versions.join(", ")}
        </p>
      )}
    </section>
  );
}

/** The parts that a status describes. Pure. */
export function partsOf({
  problems,
  connectors,
  windowJob,
  deadLetters,
  duplicates,
  conflicts,
}: PipelineStatus): Part[] {
  const { pipeline } = strings;
  const health = (isHealthy: boolean) => (isHealthy ? pipeline.healthy : pipeline.problem);
  const letters = deadLetters.map(({ kind, count }) => `${kind} ${formatCount(count)}`);
  return [
    {
      name: strings.name,
      isHealthy: problems.length === 0,
      state: health(problems.length === 0),
      detail: problems.length > 0 ? problems.join("; ") : pipeline.noProblems,
    },
    ...connectors.map(({ name, state, tasks, lag, restarts }) => {
      const failed = tasks.filter((task) => task.error !== "").map((task) => task.error);
      return {
        name: pipeline.connector(name),
        isHealthy: state === "RUNNING" && failed.length === 0,
        state,
        detail: [pipeline.records(lag), `restarts ${restarts}`, ...failed].join("; "),
      };
    }),
    ...(windowJob
      ? [
          {
            name: pipeline.windowJob,
            isHealthy: windowJob.state === "RUNNING",
            state: windowJob.state,
            detail: [
              `${formatRate(windowJob.processedRowsPerSecond)} / s`,
              ...(windowJob.batchDuration
                ? [`batch ${formatDuration(durationMs(windowJob.batchDuration), { fine: true })}`]
                : []),
              pipeline.records(windowJob.lag),
              ...(windowJob.lastError === "" ? [] : [windowJob.lastError]),
            ].join("; "),
          },
        ]
      : []),
    {
      name: pipeline.deadLetters,
      isHealthy: conflicts === 0n,
      state: letters.length > 0 ? letters.join(", ") : pipeline.deadLettersNone,
      detail: pipeline.unexpected(duplicates, conflicts),
    },
  ];
}
