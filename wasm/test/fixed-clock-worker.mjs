import './fixed-clock.mjs';
import '../dist/worker.js';
