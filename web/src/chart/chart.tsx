import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Zone } from "../format/times.ts";
import { isDark } from "../state/theme.ts";
import { pageScale } from "../ui/page-scale.ts";
import { useElementWidth } from "../ui/use-element-width.ts";
import { type ChartEvents, type ChartSpan, chartData, chartOptions } from "./options.ts";
import type { Panel } from "./panels.ts";

type ChartProps = ChartEvents & {
  readonly panel: Panel;
  readonly zone: Zone;
  readonly span: ChartSpan | undefined;
  readonly height: number;
  readonly isSmall?: boolean;
  readonly syncKey?: string;
  /** Spans to mark. */
  readonly marks?: readonly ChartSpan[];
};

/** A chart of one panel. It follows the width of its place, the theme and new data. */
export function Chart({
  panel,
  zone,
  span,
  height,
  isSmall = false,
  syncKey,
  marks = [],
  onZoom,
  onBack,
  onCursor,
}: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const events = useRef<ChartEvents>({});
  events.current = {
    ...(onZoom && { onZoom }),
    ...(onBack && { onBack }),
    ...(onCursor && { onCursor }),
  };
  const width = useElementWidth(place);
  const scale = pageScale();
  // Data alone changes often, and is set without making the chart again; the rest is an identity.
  const identity = JSON.stringify([
    panel.unit,
    panel.curves,
    panel.lines.map(({ line, colour }) => [line.key, colour]),
    zone,
    isDark.value,
    width === 0,
    scale,
    syncKey,
  ]);
  const shown = useRef({ span, marks });
  shown.current = { span, marks };

  useEffect(() => {
    if (!place.current || width === 0) return;
    const style = {
      ...{ width, height, isDark: isDark.value, scale, isSmall, zone },
      get span() {
        return shown.current.span;
      },
      get marks() {
        return shown.current.marks;
      },
      ...(syncKey && { syncKey }),
    };
    const made = new uPlot(
      chartOptions(panel, style, {
        onZoom: (zoomed) => events.current.onZoom?.(zoomed),
        onBack: () => events.current.onBack?.(),
        onCursor: (index) => events.current.onCursor?.(index),
      }),
      chartData(panel),
      place.current,
    );
    chart.current = made;
    return () => {
      chart.current = undefined;
      made.destroy();
    };
  }, [identity]);
  useEffect(() => {
    chart.current?.setData(chartData(panel));
  }, [panel, span?.sinceMs, span?.toMs, marks.length]);
  useEffect(() => {
    if (width > 0) chart.current?.setSize({ width, height });
  }, [width, height]);
  return <div class="chart" ref={place} style={{ height: `${height}px` }} />;
}
