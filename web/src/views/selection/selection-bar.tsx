import type { ComponentChildren } from "preact";
import { selection } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { DevicesField } from "./devices-field.tsx";
import { LinesField } from "./lines-field.tsx";
import { SensorsField } from "./sensors-field.tsx";
import { ZoneField } from "./zone-field.tsx";

/** What a view is about: devices, sensors, lines and time zone; what else the view has follows as children. */
export function SelectionBar({ children }: { readonly children?: ComponentChildren }) {
  const { devices, sensors, lines, zone } = selection.value;
  return (
    <section class="card selection" aria-label={strings.selection.title}>
      <DevicesField devices={devices} />
      <SensorsField sensors={sensors} />
      <LinesField lines={lines} />
      <ZoneField zone={zone} />
      {children}
    </section>
  );
}
