/** A page about the backends, off by default: DASHBOARD=1 turns it on. */
import { listBackends } from './backends.mjs';
import { readPort, serve } from './server.mjs';

const toHtml = (text) => String(text ?? '').replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);

function show() {
  const rows = listBackends().map((backend) =>
    ['feature', 'where', 'code', 'hint'].map((key) => `<td>${toHtml(backend[key])}</td>`).join(''),
  );
  const body = `<!doctype html><title>agent</title><table>${rows.map((row) => `<tr>${row}</tr>`).join('')}</table>\n`;
  return { status: 200, type: 'text/html; charset=utf-8', body };
}

/** @returns {Promise<number>} the exit code */
export const serveDashboard = () =>
  serve(readPort(process.env.DASHBOARD_PORT, 8081), { 'GET /': show });
