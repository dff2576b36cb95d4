// Logins while kept workers are attacked.

import t from 'tap';
import { attack, startServer } from './attack.js';

const workers = ['--workers', '2'];

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
