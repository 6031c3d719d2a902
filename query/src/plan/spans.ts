/** A span of timestamps, ms since 1970: since inclusive, to exclusive. */
export type Span = { readonly sinceMs: number; readonly toMs: number };

/** Returns the parts of spans, with their other properties, that lie inside a span. */
export function clippedTo<Each extends Span>(spans: readonly Each[], { sinceMs, toMs }: Span): Each[] {
  return spans
    .filter((span) => span.sinceMs < toMs && span.toMs > sinceMs)
    .map((span) => ({
      ...span,
      sinceMs: Math.max(span.sinceMs, sinceMs),
      toMs: Math.min(span.toMs, toMs),
    }));
}

/** Returns the spans in order, with touching and overlapping ones merged; up to `gapMs` apart counts as touching. */
export function joinedSpans(spans: readonly Span[], gapMs = 0): Span[] {
  const result: Span[] = [];
  for (const { sinceMs, toMs } of spans.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const last = result.at(-1);
    if (last && sinceMs <= last.toMs + gapMs) {
      result[result.length - 1] = { sinceMs: last.sinceMs, toMs: Math.max(last.toMs, toMs) };
    } else result.push({ sinceMs, toMs });
  }
  return result;
}

/** Returns `spans` without `holes`; both in order and not overlapping. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  const result: Span[] = [];
  let place = 0;
  for (const span of spans) {
    let { sinceMs } = span;
    while (place > 0 && (holes[place - 1] as Span).toMs > sinceMs) place--;
    for (; place < holes.length && (holes[place] as Span).sinceMs < span.toMs; place++) {
      const hole = holes[place] as Span;
      if (hole.toMs <= sinceMs) continue;
      if (hole.sinceMs > sinceMs) result.push({ sinceMs, toMs: hole.sinceMs });
      sinceMs = hole.toMs;
    }
    if (sinceMs < span.toMs) result.push({ sinceMs, toMs: span.toMs });
  }
  return result;
}
