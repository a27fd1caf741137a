// The playground. Here everything is made and put together; nothing else knows all of it.

import './style/index.css';
import { App } from './shell/app';
import { first } from './shell/first';

const app = document.getElementById('app')!;
try {
  new App(app, await first());
} catch (error) {
  app.textContent = `The playground cannot start: ${error instanceof Error ? error.message : String(error)}`;
  throw error;
}
