import t from 'tap';
import { spawnLogger } from '../../../../src/system/log/syslog.js';
import { recordingLogger } from '../../../support/suite/recording-logger.js';

t.test('a message loses the program that its tag names, and stays below 1 KiB', async (t) => {
  const logger = recordingLogger(t);
  const before = process.env['PATH'];
  process.env['PATH'] = logger.path;
  const sink = spawnLogger('pop3d');
  process.env['PATH'] = before;
  sink.write('pop3d: connect peer=192.0.2.1\n');
  // logger(1) would make a message of its own of what is over: here the forged login.
  sink.write(`pop3d: failure user="${'x'.repeat(1005)} login user=root"\n`);
  sink.write('other: line\n');
  await sink.flush(1000);
  const [options, ...messages] = (await logger.recorded(4)).split('\n');
  t.equal(options, '-p mail.info -t pop3d');
  t.equal(messages[0], 'connect peer=192.0.2.1');
  t.match(messages[1], /^failure user="x+\.\.\.$/);
  t.ok((messages[1]?.length ?? 0) < 1024);
  t.equal(messages[2], 'other: line');
  t.same(messages.slice(3), ['']);
});
