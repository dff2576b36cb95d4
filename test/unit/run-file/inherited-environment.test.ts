import t from 'tap';
import { inheritedEnvironment } from '../../../src/run-file/inherited-environment.js';

t.test('ordinary variables are inherited', (t) => {
  t.same(
    [...inheritedEnvironment({ PATH: '/bin', MAILROOT: '/m', NODENAME: 'x', EMPTY: '' })],
    [
      ['PATH', '/bin'],
      ['MAILROOT', '/m'],
      ['NODENAME', 'x'],
      ['EMPTY', ''],
    ],
  );
  t.end();
});

for (const name of [
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
  'NODE_V8_COVERAGE',
  'UV_USE_IO_URING',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'LD_AUDIT',
  'GCONV_PATH',
  'LOCPATH',
  'HOSTALIASES',
  'GLIBC_TUNABLES',
  'MALLOC_TRACE',
  'RES_OPTIONS',
  'OPENSSL_CONF',
  'SSL_CERT_FILE',
  'SSLKEYLOGFILE',
  'ENV',
  'BASH_ENV',
  'BASH_FUNC_ls%%',
  'PERL5OPT',
  'PYTHONPATH',
  'PYTHONSTARTUP',
  'RUBYOPT',
  'JAVA_TOOL_OPTIONS',
  'LISTEN_FDS',
  'LISTEN_PID',
  'NOTIFY_SOCKET',
  'SSH_AUTH_SOCK',
]) {
  t.test(`${name} is not inherited`, (t) => {
    t.same([...inheritedEnvironment({ [name]: 'x' })], []);
    t.end();
  });
}
