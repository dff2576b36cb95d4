// A stored password that was taken apart: what verifying needs, and nothing malformed or absurdly
// costly.

import type { ScramCredentials } from '../accounts/authenticator.js';

export type DigestAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha512';

export type StoredPassword =
  | {
      readonly kind: 'argon2';
      readonly variant: 'argon2i' | 'argon2id';
      /** KiB. */
      readonly memory: number;
      readonly passes: number;
      readonly lanes: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    }
  | { readonly kind: 'bcrypt'; readonly hash: string }
  | { readonly kind: 'sha-crypt'; readonly rounds: number; readonly hash: string }
  | {
      readonly kind: 'scrypt';
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly salt: string;
      readonly key: Buffer;
    }
  /** Only crypt(3) itself computes it. */
  | { readonly kind: 'system-crypt'; readonly scheme: string; readonly hash: string }
  | {
      readonly kind: 'digest';
      readonly algorithm: DigestAlgorithm;
      readonly digest: Buffer;
      /** May be empty. */
      readonly salt: Buffer;
    }
  | {
      readonly kind: 'pbkdf2';
      readonly salt: string;
      readonly rounds: number;
      readonly key: Buffer;
    }
  | { readonly kind: 'scram'; readonly credentials: ScramCredentials }
  | { readonly kind: 'plain'; readonly password: Buffer };
