import { formatCount } from "../../format/numbers.ts";
import { strings } from "../../strings.ts";
import type { Report } from "./upload.ts";

const parts = [
  "stored",
  "duplicates",
  "conflicts",
  "resent",
  "missing",
  "unknown_sensor",
  "refused",
  "bad_rows",
  "unsent",
] as const satisfies readonly (keyof Report)[];

/** The numbers of an import; they add up to the values of the file. */
export function Summary({ report }: { readonly report: Report }) {
  const texts = strings.import;
  return (
    <section class="card" aria-labelledby="summary">
      <h2 id="summary">{report.dry_run ? texts.wouldBe : texts.summary}</h2>
      <p class="quiet">{texts.rows(report.rows, report.values)}</p>
      <dl class="counts">
        {parts
          .filter((name) => name === "stored" || report[name] > 0)
          .map((name) => (
            <div key={name}>
              <dt>{texts.parts[name]}</dt>
              <dd>{formatCount(report[name])}</dd>
            </div>
          ))}
      </dl>
      {report.problem && <p class="problem">{report.problem}</p>}
      {report.refusals.map(({ reason, count }) => (
        <p key={reason} class="quiet">
          {formatCount(count)}: {reason}
        </p>
      ))}
    </section>
  );
}
