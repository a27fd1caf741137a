// An application: each time its page is loaded there is one more row.
import { open } from 'driftdb';

const db = await open({ name: 'app', migrations: ['CREATE TABLE visits (pk=id)'] });
const before = (await db.query('SELECT COUNT(*) AS n FROM visits')).at(0).n;
await db.table('visits').insert({ id: before + 1 });
const { rows } = await db.query('SELECT id FROM visits');
await db.close();
document.title = `${db.storage} ${rows.map(({ id }) => id).join()}`;
