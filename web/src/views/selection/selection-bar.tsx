import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { selection } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { DevicesField } from "./devices-field.tsx";
import { LinesField } from "./lines-field.tsx";
import { SensorsField } from "./sensors-field.tsx";
import { ZoneField } from "./zone-field.tsx";

/**
 * What a view is about: devices, sensors, and what else the view has as children; below it the options, which narrow
 * screens show on demand.
 */
export function SelectionBar({
  children,
  options,
}: {
  readonly children?: ComponentChildren;
  readonly options?: ComponentChildren;
}) {
  const { devices, sensors, lines, zone } = selection.value;
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="card selection" aria-label={strings.selection.title}>
      <div class="fields">
        <DevicesField devices={devices} />
        <SensorsField sensors={sensors} />
        {children}
        {options && <LinesField lines={lines} />}
      </div>
      <button type="button" class="options-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {strings.selection.options}
      </button>
      <div class="fields options" data-open={isOpen}>
        {options ?? <LinesField lines={lines} />}
        <ZoneField zone={zone} />
      </div>
    </section>
  );
}
