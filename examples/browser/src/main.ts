import { createDashboard } from "./dashboard.ts";
import { found } from "./element.ts";
import { createMesh } from "./mesh.ts";

const defaultAddress = "http://127.0.0.1:8080";

const form = found("connection", HTMLFormElement);
const dashboard = createDashboard();

function entered(name: string): string {
  return String(new FormData(form).get(name) ?? "").trim();
}

function connect(): void {
  const deviceIds = entered("devices")
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  dashboard.connect(createMesh({ address: entered("address"), token: entered("token") }), deviceIds);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});

// The address may be in the link; a token never is, because links are kept and shared.
const linked = new URLSearchParams(location.search).get("address");
const address = form.elements.namedItem("address");
if (address instanceof HTMLInputElement) address.value = linked ?? defaultAddress;
if (linked !== null) connect();
