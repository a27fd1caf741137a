export function gitSample(): Promise<string | undefined>;
