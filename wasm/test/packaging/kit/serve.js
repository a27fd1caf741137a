// Serves what was built, rendering on the server, on a port that is free; prints it.
import { preview } from 'vite';

const { httpServer } = await preview({ logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
console.log(httpServer.address().port);
