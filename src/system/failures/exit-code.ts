// The exit codes that every program of the suite shares.

/**
 * What a program's exit status says to whoever started it.
 *
 * `no` is a negative answer (no such rule, wrong password, some messages not transferred);
 * `permanent` a mistake in usage or configuration; `temporary` asks to be tried again.
 */
export const exitCode = {
  ok: 0,
  no: 1,
  permanent: 100,
  temporary: 111,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
