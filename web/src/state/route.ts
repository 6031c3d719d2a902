import { computed, signal } from "@preact/signals";
import { parseSelection, type Selection, selectionParams } from "./selection.ts";

/** The views, in the order of the navigation. */
export const views = ["overview", "explore", "live", "simulator", "import", "pipeline", "api"] as const;

/** A view of the dashboard. */
export type View = (typeof views)[number];

/** The current view and its parameters, as the part of the URL after `#`. */
export type Route = { readonly view: View; readonly params: URLSearchParams };

/** Parses `#/view?parameters`; an unknown view is the overview. */
export function parseRoute(hash: string): Route {
  const [, name = "", query = ""] = /^#?\/?([a-z]*)\??(.*)$/s.exec(hash) ?? [];
  const view = views.find((candidate) => candidate === name) ?? "overview";
  return { view, params: new URLSearchParams(query) };
}

/** Returns the link to a view. */
export function hrefOf(view: View, params: URLSearchParams = new URLSearchParams()): string {
  const query = params.toString();
  return `#/${view}${query === "" ? "" : `?${query}`}`;
}

/** Returns the link to a view of this selection; unset parts are the default. */
export function selectionHref(view: View, selection: Partial<Selection>): string {
  return hrefOf(view, selectionParams({ ...parseSelection(new URLSearchParams()), ...selection }));
}

/** The current route. */
export const route = signal<Route>(parseRoute(location.hash));

/** Returns the selection in the URL. */
export const selection = computed(() => parseSelection(route.value.params));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Navigates to a URL of this page; `replace` leaves no entry in the history. */
export function goTo(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  route.value = parseRoute(location.hash);
}

/** Changes parts of the selection of the current view. */
export function select(change: Partial<Selection>, options: { readonly replace?: boolean } = {}): void {
  const { view, params } = route.peek();
  const next = selectionParams({ ...parseSelection(params), ...change });
  // Parameters of the view itself stay.
  for (const [name, value] of params) {
    if (!selectionNames.has(name)) next.set(name, value);
  }
  goTo(hrefOf(view, next), options);
}

/** Changes parameters of the current view; an empty value removes one. */
export function setParams(
  change: Readonly<Record<string, string>>,
  options: { readonly replace?: boolean } = {},
): void {
  const { view, params } = route.peek();
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(change)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  goTo(hrefOf(view, next), options);
}

const selectionNames = new Set([
  ...["devices", "sensors", "time", "zone", "bucket", "lines"],
  ...["curves", "hold", "fill"],
]);
