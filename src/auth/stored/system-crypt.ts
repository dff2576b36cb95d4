// The system's crypt(3), for what no library here computes, such as yescrypt. Node has no call for
// it: perl has, which every Debian holds (perl-base). A process for each password, 2 ms of
// processor time; the password goes through a pipe.

/**
 * The hash could not be computed, and trying again will not help. The message names what is
 * missing.
 */
export class SystemCryptMissing extends Error {}

const perlScript = `
  local $/;
  my ($setting, $password) = split /\\0/, <STDIN>, 2;
  print crypt($password, $setting) // '*0';
`;
/** Far above what the cost ceilings let a hash take. */
const timeoutMs = 60_000;

/**
 * Hashes a password.
 *
 * @param setting a crypt(3) setting, or a whole hash; without a NUL
 * @returns the whole crypt(3) string
 * @throws SystemCryptMissing without perl, or when the system's crypt(3) does not know the scheme;
 *   Error when no process can be started, or it does not finish
 */
export async function systemCrypt(password: Buffer, setting: string): Promise<string> {
  // Loaded here: few processes for one session ever need it.
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn('perl', ['-e', perlScript], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'] },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let hash = '';
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new SystemCryptMissing('perl is not installed') : error);
    });
    child.stdout.on('data', (chunk: Buffer) => (hash += chunk.toString('latin1')));
    // When the process ended before it read everything, `close` reports it.
    child.stdin.on('error', () => undefined);
    child.stdin.end(Buffer.concat([Buffer.from(`${setting}\0`), password]));
    child.once('close', (code) => {
      if (code !== 0) reject(new Error('perl did not compute the hash'));
      else if (hash === '' || hash.startsWith('*')) {
        reject(new SystemCryptMissing('crypt(3) of this system does not know the scheme'));
      } else resolve(hash);
    });
  });
}
