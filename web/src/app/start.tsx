import { render } from "preact";
import { followStatus } from "../mesh/connection.ts";
import { followDirectory } from "../mesh/directory.ts";
import { readFacts } from "../mesh/facts.ts";
import { followTheme } from "../state/theme.ts";
import { App } from "./app.tsx";

followTheme();
const running = new AbortController();
void readFacts();
void followStatus(running.signal);
void followDirectory(running.signal);
render(<App />, document.getElementById("app") ?? document.body);
