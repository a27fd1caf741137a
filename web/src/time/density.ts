// The strip behind the slider: how much happened when, stacked by table. What is to come lies under a veil of the page's.

import type { Timeline } from 'driftdb';
import { seriesOf } from '../base/series';

/** Draws the strip. */
export function drawDensity(canvas: HTMLCanvasElement, timeline: Timeline | undefined, tables: readonly string[]): void {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext('2d');
  if (pen === null) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (timeline === undefined) return;
  const style = getComputedStyle(canvas);
  const colours = tables.map((table) => style.getPropertyValue(seriesOf(table, tables)));
  const sums = timeline.buckets.map((bucket) => Object.values(bucket.tables).reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...sums);
  const step = width / timeline.buckets.length;
  timeline.buckets.forEach((bucket, at) => {
    const left = at * step;
    // Roots, so that one large commit does not flatten all others.
    const full = Math.sqrt(sums[at]! / most) * (height - 2);
    let bottom = height;
    tables.forEach((table, index) => {
      const count = bucket.tables[table] ?? 0;
      if (count === 0) return;
      const tall = Math.max(1, (count / sums[at]!) * full);
      pen.fillStyle = colours[index]!;
      pen.fillRect(left, bottom - tall, Math.max(1, step - (step > 3 ? 1 : 0)), tall);
      bottom -= tall;
    });
  });
}
