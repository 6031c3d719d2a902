import { devicesMax, type Targets } from "../../mesh/series/targets.ts";
import { strings } from "../../strings.ts";

/** Why a selection has nothing to show, if its devices are the reason. */
export function TargetsNotice({ targets }: { readonly targets: Targets | undefined }) {
  const { chart } = strings;
  if (!targets) return <p class="quiet">{strings.loading}</p>;
  if (targets.kind === "none") return <p class="notice">{chart.noneMatches}</p>;
  return targets.kind === "tooMany" ? <p class="notice">{chart.tooManyDevices(devicesMax)}</p> : null;
}
