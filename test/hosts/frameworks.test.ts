/** Frameworks whose build makes a server with its own files; a route loads a backend. */
import { describe } from 'vitest';
import { testApplication } from '../support/host.ts';

const route = (ask: string): string => `describe(async () => (await ${ask}).parse('a,b'))`;
const BARE = `import('csv-parse/sync')`;
const IGNORED = `import(/* webpackIgnore: true */ /* turbopackIgnore: true */ 'csv-parse/sync')`;

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

describe('Nitro', () => {
  testApplication({
    ships: {},
    builds: { nitropack: '^2.12.0' },
    annex,
    files: {
      'nitro.config.mjs': `
export default { srcDir: 'src', rollupConfig: { external: [/^csv-parse/] } };`,
      'src/routes/api.mjs': `
import { defineEventHandler } from 'h3';
import { describe } from '../../report.mjs';
export default defineEventHandler(() => ${route(BARE)});`,
    },
    build: ['nitropack build --preset node-server'],
    hosts: { 'node-server': host('.output/server/index.mjs') },
  });
});

describe('Astro', () => {
  testApplication({
    ships: { '@astrojs/node': '^9.0.0', astro: '^5.0.0' },
    annex,
    files: {
      'astro.config.mjs': `
import node from '@astrojs/node';
import { annex } from 'annex/vite';
export default {
  output: 'server',
  adapter: node({ mode: 'standalone' }),
  vite: { plugins: [annex()] },
};`,
      'src/pages/api.js': `
import { describe } from '../../report.mjs';
export const GET = async () => new Response(await ${route(BARE)});`,
    },
    build: ['ASTRO_TELEMETRY_DISABLED=1 astro build'],
    hosts: { node: { ...host('dist/server/entry.mjs'), env: { HOST: '127.0.0.1' } } },
  });
});

/** The server of Next.js, in a directory with traced copies of annex and of the lock. */
const next = (bundler: string) => ({
  ...host('server.js'),
  cwd: bundler,
  env: { HOSTNAME: '127.0.0.1' },
});

describe('Next.js', () => {
  testApplication({
    ships: { next: '^16.0.0', react: '^19.0.0', 'react-dom': '^19.0.0' },
    annex,
    files: {
      'next.config.mjs': `
export default {
  output: 'standalone',
  serverExternalPackages: ['annex'],
  outputFileTracingIncludes: { '/*': ['./node_modules/annex/**/*', './annex/**/*'] },
};`,
      'app/layout.js': `export default ({ children }) => <html lang="en"><body>{children}</body></html>;`,
      'app/page.js': `export default () => <p>page</p>;`,
      'app/api/route.js': `
import { describe } from '../../report.mjs';
export const dynamic = 'force-dynamic';
export const GET = async () => new Response(await ${route(IGNORED)});`,
    },
    build: [
      'mkdir out',
      'NEXT_TELEMETRY_DISABLED=1 next build --webpack && mv .next/standalone out/webpack',
      'NEXT_TELEMETRY_DISABLED=1 next build --turbopack && mv .next/standalone out/turbopack',
    ],
    output: 'out',
    hosts: { webpack: next('webpack'), Turbopack: next('turbopack') },
  });
});
