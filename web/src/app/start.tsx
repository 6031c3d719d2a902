import { render } from "preact";
import { followStatus } from "../mesh/connection.ts";
import { readFacts } from "../mesh/facts.ts";
import { followTheme } from "../state/theme.ts";
import { App } from "./app.tsx";

followTheme();
const running = new AbortController();
void readFacts();
void followStatus(running.signal);
render(<App />, document.getElementById("app") ?? document.body);
