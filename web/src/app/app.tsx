import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { facts } from "../mesh/facts.ts";
import { route, type View } from "../state/route.ts";
import { strings } from "../strings.ts";
import { Overview } from "../views/overview/overview.tsx";
import { lazy } from "./lazy.tsx";
import { Navigation } from "./navigation.tsx";
import { SignIn } from "./sign-in.tsx";
import { StateBar } from "./state-bar.tsx";

const views: Readonly<Record<View, ComponentType>> = {
  overview: Overview,
  explore: lazy(() => import("../views/explore/explore.tsx").then(({ Explore }) => Explore)),
  live: lazy(() => import("../views/live/live.tsx").then(({ Live }) => Live)),
  simulator: lazy(() => import("../views/simulator/simulator.tsx").then(({ Simulator }) => Simulator)),
  import: lazy(() => import("../views/import/import.tsx").then(({ Import }) => Import)),
  pipeline: lazy(() => import("../views/pipeline/pipeline.tsx").then(({ Pipeline }) => Pipeline)),
  api: lazy(() => import("../views/api/api.tsx").then(({ Api }) => Api)),
};

/** The page: navigation, state, and the view in the URL. */
export function App() {
  const { view } = route.value;
  const View = views[view];
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${strings.views[view]} · ${strings.name}`;
    // A screen reader continues in the new view; at the start the browser's own order is right.
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
    scrollTo({ top: 0 });
  }, [view]);
  return (
    <div class="page">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {strings.skip}
      </a>
      <Navigation view={view} />
      <div class="body">
        <StateBar />
        <SignIn isNeeded={facts.value?.signIn ?? false} />
        <main id="main" tabIndex={-1} ref={main}>
          <View key={view} />
        </main>
      </div>
    </div>
  );
}
