import { defineConfig } from "vite";

// The mesh must allow pages of this origin: --cors-origin http://127.0.0.1:5173
const address = { host: "127.0.0.1", port: 5173, strictPort: true };

export default defineConfig({ server: address, preview: address });
