import { status } from "../../mesh/connection.ts";
import { strings } from "../../strings.ts";
import { Parts } from "./parts.tsx";
import { Picture } from "./picture.tsx";
import { stagesOf } from "./stages.ts";

/** From device to answer: a picture with what each part handles now, and the health of each part. */
export function Pipeline() {
  const found = status.value;
  const { pipeline } = strings;
  if (!found) return <p class="quiet">{strings.loading}</p>;
  return (
    <>
      <div>
        <h1>{pipeline.title}</h1>
        <p class="quiet">{pipeline.hint}</p>
      </div>
      <Picture stages={stagesOf(found)} isFlowing={found.storedPerSecond > 0} />
      <Parts status={found} />
    </>
  );
}
