// The playground. Here everything is made and put together; nothing else knows all of it.

import './style/index.css';
import { App } from './shell/app';
import { first } from './shell/first';

const root = document.getElementById('app')!;
try {
  new App(root, await first());
} catch (error) {
  root.textContent = `The playground cannot start: ${error instanceof Error ? error.message : String(error)}`;
  throw error;
}
// After everything else, so that it takes nothing from the first seconds.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  setTimeout(() => void navigator.serviceWorker.register(new URL('sw.js', document.baseURI)).catch(() => {}), 1_500);
}
