/** Frameworks whose build makes a server with its own files; a route loads a backend. */
import { describe } from 'vitest';
import { testApplication } from '../support/host.ts';

const route = (ask: string): string => `describe(async () => (await ${ask}).parse('a,b'))`;
const BARE = `import('csv-parse/sync')`;

const annex = { features: { 'csv-parse': '^6.0.0' } };
const host = (start: string) => ({
  feature: 'csv-parse',
  start: [start],
  asks: '/api',
  loaded: [['a', 'b']],
  absent: /Cannot find package 'csv-parse' imported from /,
});

describe('SvelteKit', () => {
  testApplication({
    ships: {},
    builds: {
      '@sveltejs/adapter-node': '^5.0.0',
      '@sveltejs/kit': '^2.0.0',
      '@sveltejs/vite-plugin-svelte': '^6.0.0',
      svelte: '^5.0.0',
      vite: '^7.0.0',
    },
    annex,
    files: {
      'svelte.config.js': `
import adapter from '@sveltejs/adapter-node';
export default { kit: { adapter: adapter() } };`,
      'vite.config.js': `
import { sveltekit } from '@sveltejs/kit/vite';
import { annex } from 'annex/vite';
export default { plugins: [annex(), sveltekit()] };`,
      'src/app.html': `<!doctype html><html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>`,
      'src/routes/api/+server.js': `
import { describe } from '../../../report.mjs';
export const GET = async () => new Response(await ${route(BARE)});`,
    },
    build: ['vite build'],
    hosts: { 'adapter-node': host('build/index.js') },
  });
});
