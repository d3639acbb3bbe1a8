export { RawConnection } from '../kit/raw-connection.js';
export { type RawServer, startRawServer } from '../kit/raw-server.js';
