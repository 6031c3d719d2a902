import { exactNumber } from "../../format/numbers.ts";
import { strings } from "../../strings.ts";
import { ReadingsHead } from "../../ui/readings-head.tsx";
import type { Inspection } from "./upload.ts";

/** What was recognised, with the first readings as they would be stored. */
export function InspectionTable({ inspection }: { readonly inspection: Inspection }) {
  const texts = strings.import;
  const kind = [inspection.preset, inspection.format, inspection.encoding].filter(
    (part) => part !== null && part !== "",
  );
  return (
    <section class="card" aria-labelledby="inspection">
      <h2 id="inspection">{texts.inspection}</h2>
      <p class="quiet">{kind.join(", ")}</p>
      {inspection.examples.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={texts.inspection}>
          <table>
            <ReadingsHead />
            <tbody>
              {inspection.examples.map(({ line, device_id, timestamp, sensor, value, unit }) => (
                <tr key={`${line}|${sensor}`}>
                  <th scope="row">{timestamp}</th>
                  <td>{device_id}</td>
                  <td>{sensor}</td>
                  <td class="number">
                    {exactNumber(value)} <span class="unit">{unit}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
