// The packages that speak to database servers: optional, and loaded when a source names them only.

import { ConfigurationError } from '../../system/failures/failures.js';

/** @throws ConfigurationError that says what to type when the package is not installed */
export async function loadDriver<T>(load: () => Promise<T>, name: 'pg' | 'mysql2'): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new ConfigurationError(`package ${name} is not installed: npm install ${name}`);
  }
}
