/** An Express server in one file, made by each bundler; the view engine and annex stay outside. */
import { testApplication } from '../support/host.ts';

const host = (file: string) => ({
  feature: 'pug',
  start: [file],
  asks: '/',
  loaded: '<p>found</p>',
  absent: /Cannot find package 'pug' imported from /,
});

testApplication({
  ships: {},
  builds: {
    '@rollup/plugin-commonjs': '^29.0.0',
    '@rollup/plugin-json': '^6.1.0',
    '@rollup/plugin-node-resolve': '^16.0.0',
    '@vercel/ncc': '^0.45.0',
    esbuild: '^0.28.0',
    express: '^5.0.0',
    rollup: '^4.50.0',
    webpack: '^5.100.0',
    'webpack-cli': '^6.0.0',
  },
  annex: { features: { pug: '^3.0.0' } },
  files: {
    'src/main.mjs': `
import express from 'express';
import { describe } from '../report.mjs';
const render = async () => {
  const { default: pug } = await import(/* webpackIgnore: true */ 'pug');
  return pug.render('p= word', { word: 'found' });
};
express().get('/', async (_, response) => response.send(await describe(render))).listen(3000);`,
  },
  build: [
    'esbuild src/main.mjs --bundle --platform=node --outfile=out/esbuild.cjs --external:pug',
    'rollup src/main.mjs --file out/rollup.cjs --format cjs --external pug -p node-resolve -p commonjs -p json',
    'webpack --mode production --target node20 --entry ./src/main.mjs --output-path out --output-filename webpack.cjs',
    'ncc build src/main.mjs --out out/ncc',
  ],
  hosts: {
    esbuild: host('out/esbuild.cjs'),
    rollup: host('out/rollup.cjs'),
    webpack: host('out/webpack.cjs'),
    ncc: host('out/ncc/index.mjs'),
  },
});
