// A museum in May 2026. A painting was written off as a loan; the badges of that night tell another story.

import { type Who, History, insert, patch } from './lines';
import { Chance } from './random';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-05-04T07:00:00Z');

const WORKS: readonly (readonly [string, string, string, string, number])[] = [
  ['blue-hour', 'The Blue Hour', 'E. Halloran', 'Room 4', 1_200_000], ['harbour', 'Harbour, Low Tide', 'S. Brandt', 'Room 4', 310_000], ['seamstress', 'The Seamstress', 'A. Moreau', 'Room 3', 540_000],
  ['orchard', 'Orchard in Rain', 'E. Halloran', 'Room 2', 260_000], ['two-boats', 'Two Boats', 'S. Brandt', 'Room 2', 145_000], ['night-train', 'Night Train', 'K. Ito', 'Room 3', 480_000],
  ['salt', 'Salt', 'K. Ito', 'Store', 90_000], ['window', 'Window with Pears', 'A. Moreau', 'Room 1', 205_000], ['ferryman', 'The Ferryman', 'unknown', 'Room 1', 75_000], ['winter', 'Winter Quay', 'S. Brandt', 'Store', 160_000],
];
const STAFF: readonly (readonly [string, string])[] = [
  ['lindqvist', 'registrar'], ['okoye', 'guard'], ['bauer', 'guard'], ['ferrante', 'restorer'], ['adler', 'director'], ['quinn', 'technician'],
];
const ROOMS = ['Room 1', 'Room 2', 'Room 3', 'Room 4', 'Store', 'Workshop', 'Office'];

const at = (time: string): number => Date.parse(`2026-05-${time}Z`);
const door: Who = { by: 'doors' };

/** The museum's history as event lines. */
export function museum(): string {
  const chance = new Chance(11);
  const history = new History();
  history.table('works', 'id', ['room']);
  history.table('badges', 'person', ['room']);
  history.table('sensors', 'room');
  WORKS.forEach(([id, title, artist, room, insured], n) => history.commit(START + n * 3 * MINUTE, { by: 'lindqvist', why: 'inventory' }, insert('works', id, { id, title, artist, room, status: room === 'Store' ? 'stored' : 'shown', insured, checked: '2026-05-04' })));
  STAFF.forEach(([person, role], n) => history.commit(START - 2 * HOUR + n * MINUTE, { by: 'adler', why: 'badges handed out' }, insert('badges', person, { person, role, room: 'outside' })));
  ROOMS.forEach((room, n) => history.commit(START - HOUR + n * MINUTE, { by: 'quinn', why: 'sensors set up' }, insert('sensors', room, { room, light: 0, climate: { celsius: 20, humidity: 50 } })));
  for (let n = 0; n < 9; n++) workday(history, chance, START + n * DAY);
  theNight(history);
  return history.toString();
}

/** People walk about, rooms warm up, works are looked at. On the evening of the 11th the story takes over. */
function workday(history: History, chance: Chance, start: number): void {
  const isThe11th = new Date(start).getUTCDate() === 11;
  for (const [person] of STAFF) {
    // On leave from the 9th on.
    if (person === 'lindqvist' && start >= at('09T00:00:00')) continue;
    let time = start + chance.whole(30, 110) * MINUTE;
    const home = start + (isThe11th ? 9.5 : 10) * HOUR + chance.whole(0, 40) * MINUTE;
    while (time < home) {
      history.commit(time, door, patch('badges', person, { room: chance.pick(ROOMS) }));
      time += chance.whole(35, 140) * MINUTE;
    }
    history.commit(home, door, patch('badges', person, { room: 'outside' }));
  }
  for (const room of ROOMS) {
    for (let hour = 1; hour < 11; hour += 3) history.commit(start + hour * HOUR + chance.whole(0, 50) * MINUTE, { by: 'sensors' }, patch('sensors', room, { light: hour > 9 ? 0 : chance.whole(120, 310), climate: { celsius: 19 + chance.whole(0, 30) / 10, humidity: chance.whole(46, 55) } }));
  }
  const [id] = chance.pick(WORKS.slice(1));
  history.commit(start + 6 * HOUR, { by: 'ferrante', why: 'condition check' }, patch('works', id, { checked: new Date(start).toISOString().slice(0, 10) }));
}

/** Somebody comes back with a badge that is not theirs, and the list is put right afterwards: too early, by the clock of the log. */
function theNight(history: History): void {
  history.commit(at('11T20:10:00'), door, patch('badges', 'okoye', { room: 'Office' }));
  history.commit(at('11T23:41:00'), door, patch('badges', 'quinn', { room: 'Workshop' }));
  history.commit(at('11T23:47:00'), { by: 'quinn', why: 'sensor maintenance' }, patch('sensors', 'Room 4', { light: null, climate: { celsius: null, humidity: null } }));
  history.commit(at('11T23:52:00'), door, patch('badges', 'quinn', { room: 'Room 4' }));
  history.commit(at('12T00:09:00'), door, patch('badges', 'quinn', { room: 'Workshop' }));
  history.commit(at('12T00:31:00'), { by: 'lindqvist', why: 'loan agreed on the afternoon of the 11th' }, patch('works', 'blue-hour', { room: 'Crate 7', status: 'on loan', checked: '2026-05-11' }));
  history.commit(at('12T00:33:00'), { by: 'quinn', why: 'sensor maintenance done' }, patch('sensors', 'Room 4', { light: 0, climate: { celsius: 19.6, humidity: 49 } }));
  history.commit(at('12T00:40:00'), door, patch('badges', 'quinn', { room: 'outside' }), patch('badges', 'okoye', { room: 'outside' }));
  history.commit(at('12T09:20:00'), { by: 'adler', why: 'asked registrar; lindqvist was on leave all week' }, patch('works', 'blue-hour', { status: 'missing' }));
}
