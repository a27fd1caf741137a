// A link that carries everything in its fragment: the script, the moment, and the data as compressed event lines. No server sees a fragment.

/** What a link carries. */
export interface Shared {
  readonly script: string;
  /** The moment on the slider; none is the present. */
  readonly seq: number | undefined;
  readonly title: string;
  /** Event lines; or the name of a sample, which every playground has. */
  readonly lines: string | undefined;
  readonly sample: string | undefined;
}

/** A fragment longer than this is refused: a file is offered in its place. */
export const LINK_MAX = 64_000;
const MARK = '#v1.';

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function toText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

/** The fragment of a link; undefined if it would be too long. */
export async function encodeLink(shared: Shared): Promise<string | undefined> {
  const packed = await through(new TextEncoder().encode(JSON.stringify(shared)) as Uint8Array<ArrayBuffer>, new CompressionStream('deflate-raw'));
  const fragment = MARK + toText(packed);
  return fragment.length > LINK_MAX ? undefined : fragment;
}

/** What a fragment carries; undefined if it is none of ours. Throws where it is one and is damaged. */
export async function decodeLink(fragment: string): Promise<Shared | undefined> {
  if (!fragment.startsWith(MARK)) return undefined;
  try {
    const text = new TextDecoder().decode(await through(toBytes(fragment.slice(MARK.length)), new DecompressionStream('deflate-raw')));
    const { script, seq, title, lines, sample } = JSON.parse(text) as Partial<Shared>;
    if (typeof script !== 'string' || typeof title !== 'string') throw new Error('members are missing');
    return { script, title, seq: typeof seq === 'number' ? seq : undefined, lines: typeof lines === 'string' ? lines : undefined, sample: typeof sample === 'string' ? sample : undefined };
  } catch (error) {
    throw new Error('this link is damaged: a part of it may be missing', { cause: error });
  }
}
