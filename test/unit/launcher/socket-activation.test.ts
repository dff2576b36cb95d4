import t from 'tap';
import { tryPassedSocket } from '../../../src/launcher/socket-activation.js';

t.test('a socket passed to this process is descriptor 3', (t) => {
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: '1' }, 42), 3);
  t.end();
});

t.test('one passed to another process, none, or nonsense is no socket', (t) => {
  t.equal(tryPassedSocket({ LISTEN_PID: '41', LISTEN_FDS: '1' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_FDS: '1' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: '0' }, 42), null);
  t.equal(tryPassedSocket({ LISTEN_PID: '42', LISTEN_FDS: 'x' }, 42), null);
  t.end();
});
