// One file for each recorded session: bounded, private, and never a reason for the session to fail.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const maxFileBytes = 64 << 20;

export interface RecordFile {
  /**
   * Writes a line with the seconds since the start before it; once the file is full, or the disk,
   * nothing.
   */
  write(line: string): void;
  close(): void;
}

/**
 * Makes a new file, mode 0600, named after time, peer and process.
 *
 * @param peer an address, or undefined when it is not known
 * @throws the system's error when the file cannot be made
 */
export function openRecordFile(directory: string, peer: string | undefined): RecordFile {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, '');
  const name = `${time}-${(peer ?? 'local').replace(/[^0-9A-Za-z.:]/g, '_')}-${process.pid}.txt`;
  let fd: number | undefined = openSync(join(directory, name), 'wx', 0o600);
  const startedMs = performance.now();
  let bytes = 0;
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  return {
    write: (line) => {
      if (fd === undefined) return;
      const isFull = bytes > maxFileBytes;
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(3);
      const text = `${seconds} ${isFull ? '(the record ends here; it is full)' : line}\n`;
      bytes += text.length;
      try {
        writeSync(fd, text);
      } catch {
        close();
        return;
      }
      if (isFull) close();
    },
    close,
  };
}
