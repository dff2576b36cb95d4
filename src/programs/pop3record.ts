#!/usr/bin/env node
// pop3record: stands between a POP3 client and its server and writes down what they say.
// pop3record(8).

import '../system/program/refuse-debugger.js';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { openRecordFile, type RecordFile } from '../session-record/record-file.js';
import { Transcript } from '../session-record/transcript.js';
import { openStandardConnection } from '../system/descriptors/connection.js';
import { logOptionsFrom, logOptionTable } from '../system/program/log-options.js';
import { openLog } from '../system/log/log.js';
import { runProgram } from '../system/program/program.js';
import { TemporaryError } from '../system/failures/failures.js';
import { systemWords } from '../system/failures/system-words.js';

/** What shells add to the number of the signal that ended a program. */
const signalBase = 128;

/** How long a client may take for each bit of what the server said last. */
const lingerMs = 60_000;

void runProgram(
  {
    name: 'pop3record',
    synopsis: '[options] DIRECTORY -- PROGRAM [ARGUMENT...]',
    purpose: 'Runs a POP3 server and records its session in a file, passwords masked.',
    options: logOptionTable,
    positionals: [2, Infinity],
  },
  async ({ options, positionals: [directory = '', program = '', ...args] }) => {
    const log = await openLog(logOptionsFrom('pop3record', options, [0, 1]));
    let record: RecordFile | null = null;
    try {
      record = openRecordFile(directory, process.env['TCPREMOTEIP']);
    } catch (error) {
      log.write('warning', { why: `no record in ${directory}: ${systemWords(error)}` });
    }
    const transcript = new Transcript((line) => record?.write(line));
    const connection = openStandardConnection();
    const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });

    connection.on('data', (octets: Buffer) => {
      transcript.addFromClient(octets);
    });
    server.stdout.on('data', (octets: Buffer) => {
      transcript.addFromServer(octets);
    });
    // A side that breaks off ends the other one; both ends are seen below.
    connection.on('error', () => server.stdin.destroy());
    connection.on('close', () => server.stdin.destroy());
    server.stdin.on('error', () => undefined);
    connection.pipe(server.stdin);
    server.stdout.pipe(connection);
    process.on('SIGTERM', () => server.kill('SIGTERM'));

    const { status, signal } = await new Promise<{
      status: number | null;
      signal: NodeJS.Signals | null;
    }>((resolve, reject) => {
      server.once('error', (error) => {
        reject(new TemporaryError(`${program}: ${systemWords(error)}`));
      });
      server.once('close', (status, signal) => {
        resolve({ status, signal });
      });
    });
    transcript.end();
    record?.close();
    // The client's silence, or its not reading, must not keep this process.
    connection.on('timeout', () => connection.destroy());
    connection.setTimeout(lingerMs);
    if (connection.writableFinished) connection.destroy();
    else connection.once('finish', () => connection.destroy());
    process.exitCode = status ?? signalBase + (signal === null ? 0 : constants.signals[signal]);
    return undefined;
  },
);
