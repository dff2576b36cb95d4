// Keeps Node's debugger shut. Node opens it at SIGUSR1 for everybody on the machine, on
// 127.0.0.1:9229, and who may send that signal is not always who may read what the process holds:
// pop3d is started as root and becomes the user who logs in. The first import of every program, so
// that it runs before all other code. What tcpsrun and runsvc do at SIGUSR1 is added to it.

// In the place of Node's own handler, which is gone from here on.
process.on('SIGUSR1', () => undefined);

// A signal that came before is acted upon when JavaScript runs for the first time, and when the
// event loop starts. Node tells of it with this event, as the debugger opens and before anybody who
// connects to it can run code in the process.
process.on('internalMessage', (message: { readonly cmd?: unknown }) => {
  if (message.cmd === 'NODE_DEBUG_ENABLED') closeDebugger();
});

if (!isAskedFor()) closeDebugger();

/** Whether whoever started the program wants to debug it. */
function isAskedFor(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return /--inspect(?:-brk|-wait)?(?:[= ]|$)/.test(options);
}

/**
 * What inspector.close() of `node:inspector` does. To load that module takes longer than all else
 * before pop3d's greeting.
 */
function closeDebugger(): void {
  (process as unknown as { readonly _debugEnd: () => void })._debugEnd();
}
