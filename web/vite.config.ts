// The playground as static files: any host, any path; with the project's history as a sample, and a service worker that knows all files.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { type Plugin, defineConfig } from 'vite';
import { gitSample } from './build/git-sample.mjs';

const history = await gitSample();

function sample(): Plugin {
  return {
    name: 'git-sample',
    apply: 'build',
    generateBundle() {
      if (history !== undefined) this.emitFile({ type: 'asset', fileName: 'samples/git.jsonl', source: history });
    },
  };
}

function offline(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const files = [...new Set([...Object.keys(bundle), 'index.html', ...readdirSync(new URL('public', import.meta.url))])].sort();
      const contents = files.map((name) => {
        const one = bundle[name];
        return one === undefined ? name : one.type === 'chunk' ? one.code : one.source;
      });
      const version = createHash('sha256').update(files.join('\n')).update(contents.join('\n')).digest('hex').slice(0, 12);
      const code = readFileSync(new URL('build/service-worker.js', import.meta.url), 'utf8');
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: code.replace('__FILES__', JSON.stringify(files)).replace('__VERSION__', JSON.stringify(version)) });
    },
  };
}

/** The licences of what is built in. */
function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8')) as { packages: Record<string, { dev?: boolean; link?: boolean; version?: string }> };
      const built = Object.entries(packages).filter(([path, one]) => path.startsWith('node_modules/') && one.dev !== true && one.link !== true);
      const texts = built.map(([path, one]) => {
        const folder = new URL(`${path}/`, import.meta.url);
        const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
        if (name === undefined) throw new Error(`${path} has no licence`);
        return `${path.replace('node_modules/', '')} ${one.version}\n\n${readFileSync(new URL(name, folder), 'utf8').trim()}\n`;
      });
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: texts.join(`\n${'-'.repeat(80)}\n\n`) });
    },
  };
}

export default defineConfig({
  base: './',
  define: { GIT_SAMPLE: JSON.stringify(history !== undefined) },
  plugins: [sample(), licences(), offline()],
  build: { outDir: '../dist/web', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['driftdb'] },
  server: { port: 5173 },
});
