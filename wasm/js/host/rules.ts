// What a call may do, given who holds the open transaction. The same for the worker and for the synchronous API.

import { fail } from '../errors.js';
import type { Call, GetCall, StepsCall } from '../protocol.js';
import type { Core } from './core.js';

/** Refuses a call that cannot be, whoever else is at work. */
export function check(core: Core, call: StepsCall | GetCall, open: number | undefined): void {
  if (call.tx !== undefined && call.tx !== open) {
    throw fail('closed', 'the transaction is over', 'await everything that tx does before its callback ends');
  }
  if (call.op === 'get' || call.op === 'verify' || call.op === 'export') return;
  if (call.at !== undefined && core.writes(call)) {
    throw fail('read_only', 'a handle of the past only reads', 'write with the database itself');
  }
  if (call.tx !== undefined && call.op === 'script' && core.script(call.text).controls) {
    throw fail('transaction', 'BEGIN, COMMIT and ROLLBACK cannot stand here', 'the callback commits by returning and rolls back by throwing');
  }
}

/** Whether something may be committed by a call. */
export function commits(core: Core, call: Call): boolean {
  switch (call.op) {
    case 'script':
    case 'table':
      return call.tx === undefined && core.writes(call);
    case 'commit':
    case 'load':
    case 'flush':
      return true;
    default:
      return call.op.startsWith('import');
  }
}

/** The point at which a call reads: its own; else, outside of the open transaction, what is committed. */
export function pointOf(core: Core, call: StepsCall | GetCall): string | undefined {
  if (call.at !== undefined || call.tx !== undefined || !core.inTransaction) return call.at;
  return core.committed;
}

function begins(core: Core, call: StepsCall): boolean {
  return call.op === 'script' ? core.script(call.text).controls : call.op === 'table' && call.what === 'migrate';
}

/** After a script, which may have failed: one that began a transaction has to have ended it. */
export function settle(core: Core, call: StepsCall, failed: boolean): void {
  if (core.crashed || call.tx !== undefined || !begins(core, call) || !core.inTransaction) return;
  core.rollback();
  if (!failed) throw fail('transaction', 'the script ended inside its transaction, which was rolled back', 'end it with COMMIT, or use db.transaction');
}
