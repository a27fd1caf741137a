// The parts of the page as a user knows them.

/** The moment slider. */
export const slider = (page) => page.getByRole('slider', { name: 'Moment' });

/** Waits until the slider says something. */
export async function says(page, text) {
  await page.locator(`[role=slider][aria-valuetext*="${text}"]`).waitFor();
}

/** The cell of a column in the row whose first column has this text. */
export function cell(page, first, column, grid = 0) {
  const row = page.locator('.grid').nth(grid).locator('.grid-row:visible').filter({ has: page.locator('.cell:first-child', { hasText: new RegExp(`^${first}$`) }) });
  return row.locator(`[data-column="${column}"]`);
}

/** Waits until a cell has just this text: results follow the slider, they do not wait for it. */
export async function shows(cell, text) {
  const exactly = new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  await cell.filter({ hasText: exactly }).waitFor();
}

/** Puts a script into the editor as somebody who types it, and runs it. */
export async function run(page, script) {
  await write(page, script);
  await page.keyboard.press('Control+Enter');
  await page.locator('.button.running').waitFor({ state: 'detached' });
}

/** Puts a script into the editor. */
export async function write(page, script) {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(script);
}

/** Waits until the page is back after a reload. */
export async function reload(page) {
  await page.reload();
  await page.locator('html.ready').waitFor({ state: 'attached' });
}

/** Waits until a database of this name is open: its name is there before its first results are. */
export async function opened(page, name) {
  await page.locator('.database-name', { hasText: name }).waitFor();
  await page.locator('html.ready:not(.opening)').waitFor({ state: 'attached' });
}

/** Chooses an entry of the menu of databases. */
export async function choose(page, name) {
  await page.getByRole('button', { name: 'Databases' }).click();
  await page.getByRole('menuitem', { name }).click();
  await page.locator('html:not(.opening)').waitFor({ state: 'attached' });
}

/** Keeps what is in memory under a name. */
export async function keepAs(page, name) {
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await opened(page, name);
}

/** Makes a stored database. */
export async function create(page, name) {
  await choose(page, 'New database');
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
  await opened(page, name);
}

/** Drops a file on the page. */
export async function drop(page, name, content) {
  const transfer = await page.evaluateHandle(([name, bytes]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(bytes)], name));
    return transfer;
  }, [name, [...Buffer.from(content)]]);
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** The notes of the results. */
export const notes = (page) => page.locator('.results .note');
