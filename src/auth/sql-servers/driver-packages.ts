// The packages that speak to database servers: optional, and loaded when a source names them only.

import { createRequire } from 'node:module';
import { ConfigurationError } from '../../system/failures/failures.js';

export type DriverPackage = 'pg' | 'mysql2';

/** @throws ConfigurationError that says what to type when the package is not installed */
export function requireDriver(name: DriverPackage): void {
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    throw new ConfigurationError(
      `package ${name} is not installed: npm install ${name} where pop3-suite is`,
    );
  }
}
