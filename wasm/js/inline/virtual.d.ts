// What build.mjs puts into the entry `./inline`.

declare module 'driftdb:module' {
  const base64: string;
  export default base64;
}

declare module 'driftdb:worker' {
  const text: string;
  export default text;
}
