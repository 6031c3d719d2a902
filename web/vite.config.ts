import { defineConfig } from "vite";

export default defineConfig({
  // Inlines nothing: the content security policy allows only files of the origin.
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // `npm run dev:web`: the page with hot reload, against a running `npm start`.
  server: {
    host: "127.0.0.1",
    port: 5174,
    strictPort: true,
    proxy: { "^/(devicemesh\\.|facts\\.json|latest|v1/)": "http://127.0.0.1:8080" },
  },
});
