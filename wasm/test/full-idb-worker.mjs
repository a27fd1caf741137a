import './full-idb.mjs';
import '../dist/worker.js';
