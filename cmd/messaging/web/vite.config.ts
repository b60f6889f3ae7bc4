import { defineConfig } from 'vite'

// For `npm run dev`: where `messaging start` listens.
const app = process.env.MESSAGING_URL ?? 'http://127.0.0.1:8000'

export default defineConfig({
  build: {
    target: 'es2022',
    // public/.gitkeep comes back into dist, since Go embeds no folder that is empty.
    emptyOutDir: true,
    // Inlined parts would need a looser Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        manualChunks: { echo: ['laravel-echo', 'pusher-js'] },
      },
    },
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/login', '/logout', '/broadcasting', '/avatars'].map(path => [path, app])),
  },
})
