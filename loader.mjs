// node --import annex/loader.mjs app.mjs
import './dist/loader.js';
