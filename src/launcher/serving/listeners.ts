// All places where one tcpsrun listens, bound by itself or passed by a service manager.

import type { Socket } from 'node:net';
import type { Service } from '../handing-over/run-file-parameters.js';
import { listen, type Listener } from '../listening/listener.js';
import { parsePort } from '../listening/service-name.js';

/** What follows the options, three by three. */
export interface ListenerSettings {
  readonly address: string;
  readonly service: Service;
}

export interface ListenersOptions {
  readonly listeners: readonly ListenerSettings[];
  /** For each of them the descriptor that was passed; undefined: none, it is to be bound. */
  readonly descriptors: readonly (number | undefined)[];
  readonly backlog: number;
  /** Gets the index of the listener too. */
  readonly onConnection: (socket: Socket, index: number) => void;
  readonly onAcceptError: (error: Error) => void;
}

export interface Listeners {
  /** Where they really listen, in order. */
  readonly places: readonly Listener[];
  /** From now on connections are given away. Those that came before come first. */
  begin(): void;
  close(): void;
}

/**
 * Starts to listen everywhere. Until `begin` connections are kept: nobody may be served before all
 * listen and the process is whom it is to be.
 *
 * @throws as `listen`; nothing listens then
 */
export async function openListeners(options: ListenersOptions): Promise<Listeners> {
  const { listeners, descriptors, backlog, onConnection, onAcceptError } = options;
  let early: { readonly socket: Socket; readonly index: number }[] | null = [];
  const places: Listener[] = [];
  const close = (): void => {
    for (const place of places) place.close();
    for (const { socket } of early ?? []) socket.destroy();
    early = null;
  };
  const listenAs = ({ address, service }: ListenerSettings, index: number): Promise<Listener> => {
    const fd = descriptors[index];
    const port = fd === undefined ? parsePort(service.port) : 0;
    const onAccepted = (socket: Socket): void => {
      if (early === null) onConnection(socket, index);
      else early.push({ socket, index });
    };
    return listen({ address, port, backlog, fd }, onAccepted, onAcceptError);
  };
  try {
    for (const [index, listener] of listeners.entries()) {
      places.push(await listenAs(listener, index));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    places,
    begin: () => {
      const waiting = early ?? [];
      early = null;
      for (const { socket, index } of waiting) onConnection(socket, index);
    },
    close,
  };
}
