import { facts } from "../mesh/facts.ts";
import { hrefOf, type Route, route, type View, views } from "../state/route.ts";
import { type Theme, theme } from "../state/theme.ts";
import { strings } from "../strings.ts";

/** The outlines of the views' symbols, in a square of 24. */
const symbols: Readonly<Record<View, string>> = {
  overview: "M4 4h7v7H4zM13 4h7v4h-7zM13 10h7v10h-7zM4 13h7v7H4z",
  explore: "M3 17l5-6 4 4 4-7 5 6M3 21h18",
  live: "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  simulator: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4M4 12h16",
  import: "M12 3v11M8 10l4 4 4-4M4 16v4h16v-4",
  pipeline: "M3 9h5v6H3zM16 9h5v6h-5zM8 12h8M13 9l3 3-3 3",
  api: "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
};

/** Links to the views. Explore and Live keep the selection between them. */
export function Navigation({ view }: { readonly view: View }) {
  return (
    <header class="side">
      <a class="brand" href={hrefOf("overview")}>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M5 20l6-8 6 6 5-9 5 7" />
        </svg>
        <span>{strings.name}</span>
      </a>
      <nav aria-label={strings.navigation}>
        <ul>
          {views.filter(isOffered).map((name) => (
            <li key={name}>
              <a href={linkTo(name, route.value)} aria-current={name === view ? "page" : undefined}>
                <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
                  <path d={symbols[name]} />
                </svg>
                <span>{strings.views[name]}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <label class="theme">
        <span>{strings.theme.label}</span>
        <select
          value={theme.value}
          onChange={(event) => {
            theme.value = event.currentTarget.value as Theme;
          }}
        >
          <option value="system">{strings.theme.system}</option>
          <option value="light">{strings.theme.light}</option>
          <option value="dark">{strings.theme.dark}</option>
        </select>
      </label>
    </header>
  );
}

/** Only a server that accepts recordings has the view for them. */
function isOffered(name: View): boolean {
  return name !== "import" || (facts.value?.imports ?? false);
}

const withSelection = new Set<View>(["explore", "live"]);

function linkTo(name: View, { view, params }: Route): string {
  return withSelection.has(name) && withSelection.has(view) ? hrefOf(name, params) : hrefOf(name);
}
