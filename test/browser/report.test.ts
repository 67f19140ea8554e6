/** The page of `annex report` in Chromium: it loads nothing, fits its window, and can be read in every way. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/model.ts';
import { composePage } from '../../src/report/page.ts';
import { type Browser, hasChromium, type Page, startChromium } from '../support/chromium.ts';
import { FIND_FAINT, FIND_LOOSE_ENDS, FIND_WIDE } from '../support/page-checks.ts';
import { makeHostileReport, makeReport } from '../support/report-facts.ts';

interface AxNode {
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
}

const reports: [label: string, report: Report][] = [
  ['no feature', makeReport(0)],
  ['1 feature', makeReport(1)],
  ['8 features', makeReport(8)],
  ['40 features', makeReport(40)],
  ['hostile texts', makeHostileReport()],
];
const windows = [1280, 400, 320].flatMap((width) =>
  (['light', 'dark'] as const).map((theme) => [width, theme] as const),
);

/** Events that a page without faults does not cause. */
const FAULTS = [
  ...['Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded'],
  ...['Audits.issueAdded', 'Page.javascriptDialogOpening'],
];

describe.runIf(hasChromium())('in Chromium', () => {
  let browser: Browser;
  let dir: string;

  beforeAll(() => {
    browser = startChromium();
    dir = mkdtempSync(join(tmpdir(), 'annex-pages-'));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(dir, { recursive: true });
  });

  const open = async (report: Report, width: number, theme: 'light' | 'dark'): Promise<Page> => {
    const path = join(dir, 'report.html');
    writeFileSync(path, composePage(report));
    const page = await browser.newPage(width, theme);
    await page.open(pathToFileURL(path).href);
    return page;
  };
  const openAll = (page: Page): Promise<unknown> =>
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
  const press = async (page: Page, key: string, text?: string): Promise<void> => {
    const code = { key, code: key, windowsVirtualKeyCode: key === 'Tab' ? 9 : 13, text };
    await page.call('Input.dispatchKeyEvent', { type: 'keyDown', ...code });
    await page.call('Input.dispatchKeyEvent', { type: 'keyUp', ...code });
  };
  const readTree = async (page: Page): Promise<[role: string, name: string][]> => {
    const { nodes } = await page.call('Accessibility.getFullAXTree');
    return (nodes as AxNode[])
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => [role?.value ?? '', name?.value ?? '']);
  };

  describe.each(reports)('a page of %s', (_, report) => {
    test.each(windows)('fits a window of %i pixels, and is readable in %s', async (...window) => {
      const page = await open(report, ...window);
      for (const isOpen of [false, true]) {
        if (isOpen) await openAll(page);
        const root = 'document.documentElement';
        expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
        expect(await page.evaluate(FIND_WIDE)).toEqual([]);
        expect(await page.evaluate(FIND_FAINT)).toEqual([]);
      }
      expect(await page.evaluate(FIND_LOOSE_ENDS)).toEqual([]);
    });

    test('causes no request, message, dialog or issue', async () => {
      const page = await open(report, 1280, 'light');
      await openAll(page);
      expect(page.events.filter(({ method }) => FAULTS.includes(method))).toEqual([]);
      const requests = page.events.filter(({ method }) => method === 'Network.requestWillBeSent');
      expect(requests.map(({ params }) => params.type)).toEqual(['Document']);
    });
  });

  test('hostile texts make no element', async () => {
    const page = await open(makeHostileReport(), 1280, 'light');
    const count =
      "document.querySelectorAll('img, script, iframe, a[href^=http], [onload]').length";
    expect(await page.evaluate(count)).toBe(0);
    expect(await page.evaluate("document.querySelectorAll('svg').length")).toBe(1);
  });

  test.each([1280, 400])(
    'a screen reader finds landmarks, names and states at %i pixels',
    async (width) => {
      const report = makeReport(8);
      const page = await open(report, width, 'light');
      await openAll(page);
      const tree = await readTree(page);
      const roles = tree.map(([role]) => role);
      for (const role of ['banner', 'navigation', 'main', 'contentinfo', 'figure']) {
        expect(roles.filter((one) => one === role)).toEqual([role]);
      }
      const named = ['link', 'heading', 'table', 'columnheader', 'rowheader', 'navigation'];
      const unnamed = tree.filter(([role, name]) => named.includes(role) && name.trim() === '');
      expect(unnamed).toEqual([]);
      // Boxes that scroll with the keyboard have the names of their tables.
      const tables = tree.filter(([role]) => role === 'table').map(([, name]) => ['group', name]);
      expect(tables.length).toBeGreaterThan(report.features.length);
      expect(tree).toEqual(expect.arrayContaining(tables));
      for (const { feature } of report.features) expect(tree).toContainEqual(['link', feature]);
      const texts = tree.filter(([role]) => role === 'StaticText').map(([, name]) => name);
      for (const text of ['in the store', 'in a layer', 'not installed', 'denied', 'failed']) {
        // In the picture, in its legend and in the details.
        expect(texts.filter((one) => one.trim() === text).length).toBeGreaterThanOrEqual(3);
      }
    },
  );

  test('the keyboard reaches the features, with a visible focus, and opens them', async () => {
    const page = await open(makeReport(8), 1280, 'light');
    const focused = 'document.activeElement';
    await press(page, 'Tab');
    expect(await page.evaluate(`${focused}.textContent`)).toBe('Skip to the features');
    expect(await page.evaluate(`${focused}.getBoundingClientRect().left >= 0`)).toBe(true);
    expect(await page.evaluate(`getComputedStyle(${focused}).outlineStyle`)).toBe('solid');
    await press(page, 'Enter', '\r');
    await press(page, 'Tab');
    expect(await page.evaluate(`${focused}.tagName`)).toBe('SUMMARY');
    expect(await page.evaluate(`getComputedStyle(${focused}).outlineStyle`)).toBe('solid');
    await press(page, 'Enter', '\r');
    expect(await page.evaluate(`${focused}.parentElement.open`)).toBe(true);
  });

  test('a link of the picture opens the details of its feature', async () => {
    const page = await open(makeReport(8), 1280, 'light');
    const link = 'document.querySelector(\'a[href="#feature-3"]\')';
    await page.evaluate(`${link}.click()`);
    const opened = "[...document.querySelectorAll('details')].map((one) => one.open).indexOf(true)";
    expect(await page.evaluate(opened)).toBe(2);
  });

  test('on paper everything is open, on white', async () => {
    const page = await open(makeReport(8), 794, 'dark');
    await page.call('Emulation.setEmulatedMedia', {
      media: 'print',
      features: [{ name: 'prefers-color-scheme', value: 'dark' }],
    });
    const hidden =
      "[...document.querySelectorAll('details')].filter((one) => getComputedStyle(one, '::details-content').contentVisibility !== 'visible').length";
    expect(await page.evaluate(hidden)).toBe(0);
    const paper = 'getComputedStyle(document.documentElement).backgroundColor';
    expect(await page.evaluate(paper)).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate(FIND_FAINT)).toEqual([]);
  });
});
