// Logins while a tcpsrun is attacked, with kept workers and, as services/ have it, with a process for each connection. One file,
// so that one attack at a time is measured.

import t from 'tap';
import { attack, startServer } from './attack.js';

const workers = ['--workers', '2'];

// Beside other tests it takes longer than most files may.
t.setTimeout(1_800_000);

t.test('kept workers: 1,000 connections that send an octet a second, from elsewhere', async (t) => {
  await attack(await startServer(t, workers), {
    ...{ kind: 'trickle', from: '127.0.0.66', count: 1000 },
    isUnderWay: ({ running = 0 }) => running >= 990,
  });
});

t.test('kept workers: the same from the real user’s own address', async (t) => {
  await attack(await startServer(t, workers), {
    ...{ kind: 'trickle', from: '127.0.0.1', count: 1000 },
    isUnderWay: ({ running = 0 }) => running >= 990,
  });
});

t.test('kept workers: 200 readers that take an octet a second of 100 MB', async (t) => {
  await attack(await startServer(t, workers), {
    ...{ kind: 'read', from: '127.0.0.66', count: 200 },
    isUnderWay: ({ running = 0 }) => running >= 200,
  });
});

t.test('kept workers: up to 2,000 connections a second that are reset', async (t) => {
  await attack(await startServer(t, workers), {
    ...{ kind: 'reset', from: '127.0.0.66', count: 2000 },
    isUnderWay: ({ accepted = 0 }) => accepted > 200,
  });
});

t.test('a process for each: 1,000 connections that send an octet a second', async (t) => {
  await attack(await startServer(t, []), {
    ...{ kind: 'trickle', from: '127.0.0.66', count: 1000 },
    isUnderWay: ({ running = 0, refused = 0 }) => running >= 39 && refused > 0,
  });
});

t.test('a process for each: up to 2,000 connections a second that are reset', async (t) => {
  await attack(await startServer(t, []), {
    ...{ kind: 'reset', from: '127.0.0.66', count: 2000 },
    isUnderWay: ({ accepted = 0 }) => accepted > 200,
  });
});

t.test('a process for each: 200 readers that take an octet a second of 100 MB', async (t) => {
  await attack(await startServer(t, ['--concurrency', '300']), {
    ...{ kind: 'read', from: '127.0.0.66', count: 200 },
    isUnderWay: ({ running = 0, logins = 0 }) => running >= 200 && logins >= 200,
  });
});
