// The time bar: the strip with its slider, the moment in words, and the buttons that move it.

import type { Timeline } from 'driftdb';
import { axisLabel, dateTime } from '../base/dates';
import { button, fill, h, icon } from '../base/dom';
import { Latest } from '../base/latest';
import { seriesOf } from '../base/series';
import { Moment } from '../state/moment';
import type { Workspace } from '../state/workspace';
import { drawDensity } from './density';
import { Player } from './player';
import { type Axis, Scale } from './scale';

/** So many stretches the strip has at most; one every four pixels. */
const BUCKETS = 320;
const LABELS = 6;

/** The time bar. */
export class TimeBar {
  readonly element: HTMLElement;
  readonly player = new Player();
  readonly #workspace: Workspace;
  readonly #canvas = h('canvas', { class: 'density' });
  readonly #veil = h('div', { class: 'veil' });
  readonly #handle = h('div', { class: 'handle', role: 'slider', tabindex: 0, 'aria-label': 'Moment', 'aria-valuemin': 0 }, h('span', { class: 'grip' }));
  readonly #pin = h('div', { class: 'pin', hidden: true }, icon('pin') as unknown as Node);
  readonly #strip: HTMLElement;
  readonly #labels = h('div', { class: 'labels', 'aria-hidden': 'true' });
  readonly #when = h('p', { class: 'when' });
  readonly #legend = h('p', { class: 'legend', 'aria-label': 'Tables' });
  readonly #date = h('input', { type: 'datetime-local', class: 'jump', 'aria-label': 'Jump to a date and time (UTC)', step: 60 });
  readonly #play: HTMLButtonElement;
  readonly #now: HTMLButtonElement;
  readonly #pinButton: HTMLButtonElement;
  readonly #axisButton: HTMLButtonElement;
  #axis: Axis = 'time';
  #timeline: Timeline | undefined;
  #scale: Scale;
  #frame = 0;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.#scale = new Scale('seq', 0, 1, workspace.session.value.commits);
    this.#strip = h('div', { class: 'strip' }, this.#canvas, this.#veil, this.#pin, this.#handle);
    this.#play = button('play', 'Play the history', () => this.toggle(), { keys: 'Space' });
    this.#now = button(undefined, 'Now', () => this.go(Infinity), { shown: true, class: 'now', keys: 'End' });
    this.#pinButton = button('pin', 'Compare with this moment', () => this.pin(), { keys: 'P' });
    this.#axisButton = button(undefined, 'by time', () => this.#turn(), { shown: true, class: 'axis' });
    const steps = [button('back', 'One commit back', () => this.step(-1), { keys: '←' }), this.#play, button('forward', 'One commit on', () => this.step(1), { keys: '→' }), this.#now];
    this.element = h(
      'section',
      { class: 'time', 'aria-label': 'Time' },
      h('div', { class: 'time-head' }, h('div', { class: 'steps' }, ...steps), this.#when, this.#legend, h('div', { class: 'time-tools' }, this.#pinButton, this.#axisButton, this.#date)),
      this.#strip,
      this.#labels,
    );
    this.#listen();
    workspace.session.now(() => void this.#opened());
    workspace.moment.at.watch(() => this.#later());
    workspace.moment.pin.watch(() => this.#later());
  }

  get #head(): number {
    return this.#workspace.session.value.head.value.seq;
  }

  get #seq(): number {
    return Moment.seq(this.#workspace.moment.at.value, this.#head);
  }

  /** Goes to a seq; the slider is no longer moved by anything else. */
  go(seq: number): void {
    this.player.stop();
    this.#workspace.moment.go(seq, this.#head);
  }

  /** The colours have changed. */
  recolour(): void {
    this.#drawStrip();
  }

  /** The seq that is shown. */
  get seq(): number {
    return this.#seq;
  }

  /** Goes to the last commit at or before a time. */
  goTime(time: number): void {
    this.go(this.#workspace.session.value.commits.atTime(time)?.seq ?? 0);
  }

  /** So many commits on, or back. */
  step(by: 1 | -1): void {
    const { commits } = this.#workspace.session.value;
    this.go(by > 0 ? (commits.next(this.#seq)?.seq ?? Infinity) : (commits.previous(this.#seq)?.seq ?? 0));
  }

  /** Plays, or stops. */
  toggle(): void {
    if (this.player.playing.value) this.player.stop();
    else this.player.play(this.#scale.place(this.#seq), (place) => this.#workspace.moment.go(place >= 1 ? Infinity : this.#scale.seq(place), this.#head));
  }

  /** Moves by itself to a time: what a first visit begins with. */
  async glide(time: number, ms: number, ease: (t: number) => number): Promise<boolean> {
    await this.#ready;
    const { commits } = this.#workspace.session.value;
    const end = this.#scale.place(commits.atTime(time)?.seq ?? 0);
    return this.player.sweep(1, end, ms, ease, (place) => this.#workspace.moment.go(this.#scale.seq(place), this.#head));
  }

  /** Compares with the moment that is shown, or with the present again. */
  pin(): void {
    const { at, pin } = this.#workspace.moment;
    pin.value = pin.value !== 'now' ? 'now' : at.value;
  }

  #turn(): void {
    this.#axis = this.#axis === 'seq' ? 'time' : 'seq';
    void this.#read();
  }

  #ready: Promise<void> = Promise.resolve();
  readonly #fresh = new Latest<undefined>(() => this.#read());

  async #opened(): Promise<void> {
    const session = this.#workspace.session.value;
    session.commits.count.watch(() => this.#fresh.ask(undefined));
    session.head.watch(() => this.#fresh.ask(undefined));
    await this.#read();
  }

  #read(): Promise<void> {
    this.#ready = (async () => {
      const session = this.#workspace.session.value;
      const axis = this.#axis;
      const timeline = await session.db.timeline({ buckets: BUCKETS, axis }).catch(() => undefined);
      if (timeline === undefined) return;
      if (session !== this.#workspace.session.value || axis !== this.#axis) return;
      this.#timeline = timeline;
      this.#scale = new Scale(axis, timeline.from, timeline.to, session.commits);
      fill(this.#axisButton, h('span', {}, axis === 'time' ? 'by time' : 'by event'));
      this.#drawStrip();
      this.#draw();
    })();
    return this.#ready;
  }

  #later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** What changes with the history, the width and the theme. */
  #drawStrip(): void {
    const tables = this.#workspace.session.value.catalogue.value.map((table) => table.name);
    drawDensity(this.#canvas, this.#timeline, tables);
    const legend = tables.length > 1 ? tables.slice(0, 8).map((table) => h('span', { style: { '--own': `var(${seriesOf(table, tables)})` } }, table)) : [];
    fill(this.#legend, ...legend);
    this.#axisLabels();
  }

  /** What changes with the moment. */
  #draw(): void {
    const { moment, session } = this.#workspace;
    const { commits } = session.value;
    const seq = this.#seq;
    const place = moment.at.value === 'now' ? 1 : this.#scale.place(seq);
    this.#veil.style.left = `${place * 100}%`;
    this.#handle.style.left = `${place * 100}%`;
    this.#pin.hidden = moment.pin.value === 'now';
    if (moment.pin.value !== 'now') this.#pin.style.left = `${this.#scale.place(moment.pin.value) * 100}%`;
    const commit = commits.at(seq);
    this.#say(seq, commit === undefined ? undefined : dateTime(commit.time), commit?.by, commit?.why);
    this.#date.value = commit === undefined ? '' : new Date(commit.time).toISOString().slice(0, 16);
    document.documentElement.classList.toggle('past', moment.at.value !== 'now');
    this.#now.disabled = moment.at.value === 'now';
    this.#pinButton.setAttribute('aria-pressed', String(moment.pin.value !== 'now'));
  }

  #say(seq: number, time: string | undefined, by: unknown, why: unknown): void {
    const isNow = this.#workspace.moment.at.value === 'now';
    const who = [by === null || by === undefined ? '' : `by ${String(by)}`, why === null || why === undefined ? '' : `“${String(why)}”`].filter(Boolean).join(' · ');
    fill(this.#when, h('strong', {}, isNow ? 'Now' : (time ?? 'Before everything')), h('span', { class: 'faint' }, isNow ? `@seq:${seq}` : `UTC · @seq:${seq}${who === '' ? '' : ` · ${who}`}`));
    this.#handle.setAttribute('aria-valuemax', String(this.#head));
    this.#handle.setAttribute('aria-valuenow', String(seq));
    this.#handle.setAttribute('aria-valuetext', isNow ? 'now' : `${time ?? 'before everything'}, seq ${seq}${who === '' ? '' : `, ${who}`}`);
  }

  #axisLabels(): void {
    const [first, last] = [this.#scale.time(0), this.#scale.time(1)];
    if (first === undefined || last === undefined) return fill(this.#labels);
    const marks = Array.from({ length: LABELS + 1 }, (_, at) => at / LABELS);
    fill(this.#labels, ...marks.map((place) => h('span', {}, axisLabel(this.#scale.time(place) ?? first, last - first))));
  }

  #listen(): void {
    const move = (event: PointerEvent): void => {
      const { left, width } = this.#strip.getBoundingClientRect();
      const place = (event.clientX - left) / width;
      this.go(place >= 0.997 ? Infinity : this.#scale.seq(place));
    };
    this.#strip.addEventListener('pointerdown', (event) => {
      this.#strip.setPointerCapture(event.pointerId);
      this.#handle.focus({ preventScroll: true });
      move(event);
      event.preventDefault();
    });
    this.#strip.addEventListener('pointermove', (event) => this.#strip.hasPointerCapture(event.pointerId) && move(event));
    this.#handle.addEventListener('keydown', (event) => this.#key(event));
    this.#date.addEventListener('change', () => this.#date.value !== '' && this.goTime(Date.parse(`${this.#date.value}:59.999Z`)));
    this.player.playing.watch((playing) => fill(this.#play, icon(playing ? 'pause' : 'play') as unknown as HTMLElement));
    new ResizeObserver(() => this.#drawStrip()).observe(this.#strip);
  }

  #key(event: KeyboardEvent): void {
    const far = (by: number): void => this.go(this.#scale.seq(this.#scale.place(this.#seq) + by));
    const does: Record<string, () => void> = {
      ArrowLeft: () => this.step(-1), ArrowDown: () => this.step(-1), ArrowRight: () => this.step(1), ArrowUp: () => this.step(1), PageDown: () => far(-0.05), PageUp: () => far(0.05),
      Home: () => this.go(0), End: () => this.go(Infinity), ' ': () => this.toggle(), p: () => this.pin(), n: () => this.go(Infinity),
    };
    const action = does[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    action();
    event.preventDefault();
  }
}
