// React: live queries as hooks.

import { type FunctionComponent, type ReactNode, createContext, createElement, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { Database } from './client/database.js';
import { type LiveQueryOptions, type LiveState, LiveStore, beginning, keyOf } from './hooks/store.js';
import type { Params } from './wire/encode.js';

export type { LiveQueryOptions, LiveState } from './hooks/store.js';

const Context = createContext<Database | undefined>(undefined);

/** Provides the database to the components inside. It may still be undefined, as while it is opened. */
export const DriftProvider: FunctionComponent<{ db: Database | undefined; children?: ReactNode }> = ({ db, children }) =>
  createElement(Context.Provider, { value: db }, children);

/** The database that was provided. */
export function useDatabase(): Database | undefined {
  return useContext(Context);
}

/**
 * A query's answer, kept as it is now; with `asOf`, as it was then. While another query or point is asked for, the rows are those of the last answer. On a server nothing
 * is asked: the rows are those of `initial`.
 */
export function useLiveQuery<Row = Record<string, unknown>>(query: string, params?: Params, options: LiveQueryOptions<Row> = {}): LiveState<Row> {
  const provided = useContext(Context);
  const db = options.db ?? provided;
  const key = keyOf(query, params, options.asOf);
  const last = useRef<LiveState<Row> | undefined>(undefined);
  const first = useRef<LiveState<Row> | undefined>(undefined);
  first.current ??= beginning(options.initial);
  const store = useMemo(() => new LiveStore<Row>(db, query, params, options.asOf, last.current ?? first.current!), [db, key]);
  const state = useSyncExternalStore(store.subscribe, store.get, () => first.current!);
  useEffect(() => {
    last.current = state;
  });
  return state;
}
