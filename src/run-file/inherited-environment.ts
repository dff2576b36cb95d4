// Which variables of a launcher's own environment reach the programs it starts.

/**
 * Variables that are meant for the launcher itself, or for whoever started it, and would make a
 * program load, run, trust or reveal something because of them. Each group with what it could do.
 */
const withheld: readonly RegExp[] = [
  // Node's options, modules and channels; libuv's io_uring, which keeps root's rights after
  // setuid(2).
  /^(?:NODE_.*|UV_USE_IO_URING)$/,
  // Libraries, modules, tunables and traces of linker and C library, as dropped for setuid
  // programs.
  /^(?:LD_.*|DYLD_.*|GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|HOSTALIASES|LOCALDOMAIN|LOCPATH|MALLOC_.*|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TZDIR)$/,
  // OpenSSL's engines, trusted certificates and session keys.
  /^(?:OPENSSL_.*|SSL_CERT_(?:FILE|DIR)|SSLKEYLOGFILE)$/,
  // What shells and interpreters run or load at their start.
  /^(?:ENV|IFS|PS4|BASH_.*|SHELLOPTS|BASHOPTS|ZDOTDIR|PERL.*|PYTHON.*|RUBY.*|GEM_.*|LUA_.*|AWK(?:LIB)?PATH|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|CLASSPATH)$/,
  // Descriptors and the supervisor of the launcher, not of its programs.
  /^(?:LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_.*|MAINPID)$/,
  // The keys of the person who started it by hand.
  /^(?:SSH_AUTH_SOCK|SSH_AGENT_PID|GPG_AGENT_INFO)$/,
];

/** The environment without what programs must get from their run file only. */
export function inheritedEnvironment(environment: NodeJS.ProcessEnv): Map<string, string> {
  const inherited = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !withheld.some((names) => names.test(name))) {
      inherited.set(name, value);
    }
  }
  return inherited;
}
