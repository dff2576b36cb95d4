// The environment that tests give to the programs they start. Knows nothing of any program.

const kept = /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_.*)$/;

/**
 * A copy of this process's environment with only what every program needs. The rest stays out: tap's loaders in
 * NODE_OPTIONS and TAP* would slow each child, and a PASSDB or MAILROOT of the caller's would change what is tested.
 *
 * @param additions variables to set on top
 */
export function cleanEnvironment(
  additions: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && kept.test(name)) environment[name] = value;
  }
  return { ...environment, ...additions };
}
