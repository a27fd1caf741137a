// The playground as static files: any host, any path.

import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { outDir: '../dist/web', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['driftdb'] },
  server: { port: 5173 },
});
