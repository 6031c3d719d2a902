import { defineConfig } from "vite";

// Pages of this origin are what the mesh is told to allow: --cors-origin http://127.0.0.1:5173
const address = { host: "127.0.0.1", port: 5173, strictPort: true };

export default defineConfig({ server: address, preview: address });
