// Which variables of a launcher's own environment reach the programs it starts.

/**
 * Variables that make a program load, run or trust something of the launcher's (its runtime's options, the dynamic
 * linker's, interpreters' start-up files), and those that describe the launcher's own descriptors and supervisor.
 */
const withheld =
  /^(?:NODE_.*|LD_.*|GCONV_PATH|LOCPATH|BASH_ENV|ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|PERL5.*|PERLLIB|PYTHON.*|RUBY.*|LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_.*|MAINPID)$/;

/** The environment without what programs must get from their run file only. */
export function inheritedEnvironment(environment: NodeJS.ProcessEnv): Map<string, string> {
  const inherited = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !withheld.test(name)) inherited.set(name, value);
  }
  return inherited;
}
