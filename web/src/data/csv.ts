// CSV text as rows: quotes, line breaks in quotes, `,` `;` or tabs between the fields.

/** A row of named values. */
export type Row = Record<string, unknown>;

/** Reads CSV with a head line. Numbers, true and false become values, an empty field is left out. */
export function parseCsv(text: string): Row[] {
  const [head, ...lines] = fields(text.replace(/^\uFEFF/, ''));
  if (head === undefined) return [];
  const names = head.map((name, at) => name.trim() || `column${at + 1}`);
  return lines.filter((line) => line.some((field) => field !== '')).map((line) => {
    const row: Row = {};
    line.forEach((field, at) => {
      if (field !== '') row[names[at] ?? `column${at + 1}`] = valueOf(field);
    });
    return row;
  });
}

function valueOf(field: string): unknown {
  if (/^-?(?:0|[1-9]\d*)$/.test(field)) {
    const number = Number(field);
    return Number.isSafeInteger(number) ? number : BigInt(field) >= -(2n ** 63n) && BigInt(field) < 2n ** 64n ? BigInt(field) : field;
  }
  if (/^-?(?:0|[1-9]\d*)?\.\d+(?:[eE][+-]?\d+)?$/.test(field) && Number.isFinite(Number(field))) return Number(field);
  return field === 'true' ? true : field === 'false' ? false : field;
}

function fields(text: string): string[][] {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const between = [',', ';', '\t'].map((mark) => [mark, first.split(mark).length] as const).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  const lines: string[][] = [];
  let line: string[] = [];
  let field = '';
  let quoted = false;
  const endField = (): void => {
    line.push(field);
    field = '';
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') field += text[++at]!;
      else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === between) endField();
    else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at += 1;
      endField();
      lines.push(line);
      line = [];
    } else field += char;
  }
  if (field !== '' || line.length > 0) {
    endField();
    lines.push(line);
  }
  return lines;
}

/** Rows as CSV. */
export function toCsv(columns: readonly string[], rows: Iterable<Row>, text: (value: unknown) => string): string {
  const quote = (field: string): string => (/[",\n\r;\t]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  const lines = [columns.map(quote).join(',')];
  for (const row of rows) lines.push(columns.map((name) => quote(row[name] === null || row[name] === undefined ? '' : text(row[name]))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}
