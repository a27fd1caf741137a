// The language suite in a browser's worker: each file over its own database in OPFS. The page sends the files' texts.

import { open } from '../dist/sync.js';
import { runFile } from './slt.mjs';

onmessage = async ({ data: { name, text } }) => {
  try {
    const db = await open({ name: `suite ${name}` });
    postMessage(runFile(text, () => db, false));
  } catch (error) {
    postMessage({ records: 0, left: 0, failures: [`${error.name}: ${error.message}`] });
  }
};
