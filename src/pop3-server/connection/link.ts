// What a session knows of its connection's security: is it encrypted, may passwords cross it, what
// binds it. RFC 2595, RFC 8314.

import type { TLSSocket } from 'node:tls';
import { serverChannelBindings } from '../../auth/mechanisms/channel-binding.js';
import type { ChannelBindings } from '../../auth/mechanisms/sasl-mechanism.js';
import { isLoopback } from './peer.js';
import type { ServerTls } from '../../system/tls/tls-server.js';

/** How pop3d was told to treat connections. */
export interface Security {
  /** Null when no certificate is configured. */
  readonly tls: ServerTls | null;
  /** TLS from the first octet. */
  readonly isImplicit: boolean;
  /** Logins without TLS although a certificate is configured. */
  readonly allowsCleartext: boolean;
  /** Whether SCRAM-SHA-256-PLUS is announced: mutt 2.2 and neomutt choose it and then fail. */
  readonly bindsChannels?: boolean;
}

export interface Link {
  /** e.g. `TLSv1.3`; null in the clear. */
  readonly tlsVersion: string | null;
  readonly canStartTls: boolean;
  /** Whether a login may happen now. */
  readonly allowsLogin: boolean;
  /** Null in the clear. */
  readonly channelBindings: ChannelBindings | null;
}

export function clearLink(security: Security, isLoopback: boolean): Link {
  return {
    tlsVersion: null,
    canStartTls: security.tls !== null,
    allowsLogin: security.tls === null || security.allowsCleartext || isLoopback,
    channelBindings: null,
  };
}

/** Of a connection on which nothing was said yet. */
export function firstLink(
  security: Security,
  { peer, proxiedTls }: { readonly peer: string | undefined; readonly proxiedTls?: string | null },
): Link {
  if (proxiedTls == null) return clearLink(security, isLoopback(peer));
  // The client speaks TLS to a proxy that tcpsrun was told to believe.
  return { tlsVersion: proxiedTls, canStartTls: false, allowsLogin: true, channelBindings: null };
}

export function encryptedLink(socket: TLSSocket, { bindsChannels = false }: Security): Link {
  return {
    tlsVersion: socket.getProtocol(),
    canStartTls: false,
    allowsLogin: true,
    channelBindings: bindsChannels ? serverChannelBindings(socket) : null,
  };
}
