// A folder for a test that starts programs.

import type { Test } from 'tap';

/**
 * As `t.testdir`, which would remove the folder before the teardown handlers run that end the programs: one that is just writing to it
 * makes the removal fail, and then no handler runs.
 */
export function testFolder(t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  // tap runs handlers before what was there when the first of them came.
  t.teardown(() => undefined);
  return t.testdir(content);
}
