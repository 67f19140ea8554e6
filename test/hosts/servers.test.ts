/** Servers that load a view engine, a validator or a transport when they are configured. */
import { testApplication } from '../support/host.ts';

testApplication({
  ships: {
    '@fastify/view': '^11.0.0',
    '@langchain/core': '^1.0.0',
    '@nestjs/common': '^11.0.0',
    '@nestjs/core': '^11.0.0',
    '@nestjs/microservices': '^11.0.0',
    '@nestjs/platform-express': '^11.0.0',
    express: '^5.0.0',
    fastify: '^5.0.0',
    langchain: '^1.0.0',
    'reflect-metadata': '^0.2.0',
    rxjs: '^7.8.0',
  },
  annex: {
    features: {
      '@langchain/openai': '^1.0.0',
      handlebars: '^4.7.0',
      nats: '^2.29.0',
      pug: '^3.0.0',
      validation: { packages: { 'class-transformer': '^0.5.0', 'class-validator': '^0.14.0' } },
    },
    importers: ['@nestjs/common', '@nestjs/microservices', 'express', 'langchain'],
  },
  files: { 'views/page.hbs': '<p>{{word}}</p>', 'views/page.pug': 'p= word' },
  hosts: {
    Express: {
      feature: 'pug',
      program: `
import express from 'express';
import { describe } from './report.mjs';
const app = express().set('view engine', 'pug');
const render = () => new Promise((resolve, reject) => {
  app.render('page', { word: 'found' }, (error, html) => error ? reject(error) : resolve(html));
});
app.get('/', async (_, response) => response.send(await describe(render)));
app.listen(3000);`,
      asks: '/',
      loaded: '<p>found</p>',
      absent: /Cannot find module 'pug'/,
    },
    Fastify: {
      feature: 'handlebars',
      program: `
import view from '@fastify/view';
import Fastify from 'fastify';
import { describe } from './report.mjs';
const app = Fastify();
app.get('/', () => describe(async () => {
  const { default: handlebars } = await import('handlebars');
  const inner = Fastify().register(view, { engine: { handlebars }, root: import.meta.dirname });
  await inner.ready();
  return inner.view('views/page.hbs', { word: 'found' });
}));
await app.listen({ port: 3000 });`,
      asks: '/',
      loaded: '<p>found</p>',
      absent: /Cannot find package 'handlebars'/,
    },
    'Nest, validation': {
      feature: 'validation',
      program: `
import 'reflect-metadata';
import { Body, Controller, Module, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { report } from './report.mjs';
const pipe = new ValidationPipe();
const { IsInt } = await import('class-validator');
class Item {}
IsInt()(Item.prototype, 'count');
class Items { create() { return 'created'; } }
Post()(Items.prototype, 'create', Object.getOwnPropertyDescriptor(Items.prototype, 'create'));
Body()(Items.prototype, 'create', 0);
Reflect.defineMetadata('design:paramtypes', [Item], Items.prototype, 'create');
Controller()(Items);
class App {}
Module({ controllers: [Items] })(App);
const app = (await NestFactory.create(App, { logger: ['error'] })).useGlobalPipes(pipe);
await app.listen(0);
const post = async (body) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(await app.getUrl(), { method: 'POST', headers, body: JSON.stringify(body) });
  return response.text();
};
await report(async () => [await post({ count: 1 }), JSON.parse(await post({ count: 'x' })).message]);
await app.close();`,
      loaded: ['created', ['count must be an integer number']],
      absent: /The "class-validator" package is missing/,
      isReplaced: true,
    },
    'Nest, microservices': {
      feature: 'nats',
      program: `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { report } from './report.mjs';
class App {}
Module({})(App);
const app = await NestFactory.createMicroservice(App, {
  transport: Transport.NATS,
  options: { servers: ['nats://127.0.0.1:9'], reconnect: false },
  logger: ['error'],
});
await report(async () => (await app.listen().catch((error) => error)).code);`,
      loaded: 'CONNECTION_REFUSED',
      absent: /The "nats" package is missing/,
      isReplaced: true,
    },
    LangChain: {
      feature: '@langchain/openai',
      program: `
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { initChatModel } from 'langchain';
import { report } from './report.mjs';
await report(async () => {
  const configurable = await initChatModel('openai:gpt-4o', { apiKey: 'none' });
  const model = await configurable._getModelInstance();
  return [model.constructor.name, model instanceof BaseChatModel];
});`,
      loaded: ['ChatOpenAI', true],
      absent: /Unable to import @langchain\/openai/,
      isReplaced: true,
    },
  },
});
