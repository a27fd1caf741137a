// Vue: live queries as composables.

import { type InjectionKey, type MaybeRefOrGetter, type ShallowRef, getCurrentInstance, inject, onMounted, onScopeDispose, provide, shallowReadonly, shallowRef, toValue, watch } from 'vue';
import type { Database } from './client/database.js';
import { type LiveQueryOptions, type LiveState, LiveStore, beginning, keyOf } from './hooks/store.js';
import type { Point } from './point.js';
import type { Params } from './wire/encode.js';

export type { LiveState } from './hooks/store.js';

const KEY: InjectionKey<MaybeRefOrGetter<Database | undefined>> = Symbol('driftdb');

/** Provides the database to the components inside. It may still be undefined, as while it is opened. */
export function provideDatabase(db: MaybeRefOrGetter<Database | undefined>): void {
  provide(KEY, db);
}

/** The database that was provided. */
export function useDatabase(): Database | undefined {
  return toValue(inject(KEY, undefined));
}

/** How a query is asked. */
export interface VueLiveQueryOptions<Row> extends Pick<LiveQueryOptions<Row>, 'initial'> {
  /** The point as of which it is asked. */
  asOf?: MaybeRefOrGetter<Point | undefined>;
  /** The database, if it is not the one that was provided. */
  db?: MaybeRefOrGetter<Database | undefined>;
}

/**
 * A query's answer, kept as it is now; with `asOf`, as it was then. Query, parameters and point may be refs or getters. While another one is asked for, the rows are those
 * of the last answer. On a server nothing is asked: the rows are those of `initial`.
 */
export function useLiveQuery<Row = Record<string, unknown>>(
  query: MaybeRefOrGetter<string>,
  params?: MaybeRefOrGetter<Params | undefined>,
  options: VueLiveQueryOptions<Row> = {},
): Readonly<ShallowRef<LiveState<Row>>> {
  const inComponent = getCurrentInstance() !== null;
  const db = options.db ?? (inComponent ? inject(KEY, undefined) : undefined);
  const state = shallowRef<LiveState<Row>>(beginning(options.initial));
  let stop: (() => void) | undefined;
  const start = (): void => {
    const asked = (): [Database | undefined, string] => [toValue(db), keyOf(toValue(query), toValue(params), toValue(options.asOf))];
    watch(asked, ([database], before) => {
      if (before !== undefined && before[0] === database && before[1] === asked()[1]) return;
      stop?.();
      const store = new LiveStore<Row>(database, toValue(query), toValue(params), toValue(options.asOf), state.value);
      const told = (): void => {
        state.value = store.get();
      };
      told();
      stop = store.subscribe(told);
    }, { immediate: true });
  };
  // A server mounts nothing.
  if (inComponent) onMounted(start);
  else start();
  onScopeDispose(() => stop?.());
  return shallowReadonly(state);
}
