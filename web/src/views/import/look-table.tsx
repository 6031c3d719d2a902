import { exactNumber } from "../../format/numbers.ts";
import { strings } from "../../strings.ts";
import { ReadingsHead } from "../../ui/readings-head.tsx";
import type { Look } from "./upload.ts";

/** What was recognised, with the first readings as they would be stored. */
export function LookTable({ look }: { readonly look: Look }) {
  const texts = strings.import;
  const kind = [look.preset, look.format, look.encoding].filter((part) => part !== null && part !== "");
  return (
    <section class="card" aria-labelledby="look">
      <h2 id="look">{texts.look}</h2>
      <p class="quiet">{kind.join(", ")}</p>
      {look.examples.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={texts.look}>
          <table>
            <ReadingsHead />
            <tbody>
              {look.examples.map(({ line, device_id, timestamp, sensor, value, unit }) => (
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
